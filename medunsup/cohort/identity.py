"""What a result is made from, and whether the one that is there was made from the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.sidecar import ResultSidecar, SidecarError
from medunsup.io.bids.names import sidecar_path

Identity = dict[str, Any]
Status = Literal["new", "done", "other", "missing", "error"]


@dataclass(frozen=True)
class InputFile:
    """A file or DICOM folder that went into a result: what for, its name without folder, its hash."""

    role: str
    name: str
    sha256: str

    def as_sidecar(self) -> dict[str, str]:
        """Plain values for the sidecar."""
        return {"Role": self.role, "Name": self.name, "SHA256": self.sha256}


def status_of(
    result: Path, kind: type[ResultSidecar], asked: Callable[[], Identity], *, without: str = ""
) -> tuple[Status, str]:
    """Say whether `result` is not there, there, or there but made otherwise than `asked`; and what differs.

    `kind` is what its sidecar must be. An input whose role is `without` does not count.
    """
    done = sidecar_path(result)
    if not done.exists():
        return ("other", f"{result} is not one of ours") if result.exists() else ("new", "")
    try:
        made = kind.read(done).medunsup
    except SidecarError as error:
        return "other", str(error)
    return _compare(made.as_identity(without), asked())


def _compare(made: Mapping[str, Any], asked: Mapping[str, Any]) -> tuple[Status, str]:
    if made == asked:
        return "done", ""
    if made.get("Inputs") != asked["Inputs"]:
        return "other", "made from other input files"
    if made.get("Version") != asked["Version"]:
        return "other", f"made by version {made.get('Version')}"
    if made.get("Model") != asked.get("Model"):
        return "other", "made with another model"
    before, now = made.get("Choices", {}), asked["Choices"]
    changed = [
        f"{key} {before.get(key)}, not {now.get(key)}"
        for key in now | before
        if before.get(key) != now.get(key)
    ]
    return "other", "made with " + "; ".join(changed) if changed else "made otherwise"
