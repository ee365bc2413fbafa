"""One scan to segment: its files, the choices, where the results go, and whether they are there already."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.sidecar import ResultSidecar, SidecarError
from medunsup.core.errors import UsageError
from medunsup.core.paths import user_path
from medunsup.core.version import __version__
from medunsup.io.bids.names import OutputNames, output_names, sidecar_path, stem
from medunsup.io.files.fetched import how_to_fetch
from medunsup.io.files.hashes import hash_input
from medunsup.workflows.segment.outputs import DSEG
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.segment.sidecar import SegmentSidecar

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


@dataclass(frozen=True)
class Request:
    """One scan to segment. `contrasts` are further scans of the same head by contrast.

    `subfolder` of `out` takes the results of a scan whose name others have too.
    """

    scan: Path
    settings: SegmentSettings = field(default_factory=SegmentSettings)
    mask: Path | None = None
    contrasts: Mapping[str, Path] = field(default_factory=dict)
    out: Path | None = None
    subfolder: str = ""
    prior: Path | None = None

    @property
    def names(self) -> OutputNames:
        """Where the results go."""
        return output_names(self.scan, self.out, self.subfolder)

    def inputs(self) -> tuple[InputFile, ...]:
        """Hash every input. Raises InputError if one is missing."""
        files = {"scan": self.scan, **self.contrasts}
        files |= {"mask": self.mask} if self.mask else {}
        files |= {"prior": self.prior} if self.prior else {}
        return tuple(InputFile(role, path.name, hash_input(path)) for role, path in files.items())

    def identity(self) -> Identity:
        """Gather what decides whether a result is the one asked for: version, choices, inputs."""
        return {
            "Version": __version__,
            "Choices": self.settings.as_record(),
            "Inputs": [item.as_sidecar() for item in self.inputs()],
        }

    def missing(self) -> str:
        """Say which input is not there and what may be wrong with its name; nothing if all are there."""
        if not self.scan.exists():
            return _why_lost(self.scan)
        beside = {**({"mask": self.mask} if self.mask else {}), **self.contrasts}
        lost = next((f"its {role} {path}" for role, path in beside.items() if not path.exists()), "")
        if not lost:
            return ""
        unfetched = next((path for path in beside.values() if how_to_fetch(path)), None)
        if unfetched is not None:
            return _why_lost(unfetched)
        known = ", ".join(f"{{{name}}} is {value!r}" for name, value in placeholders(self.scan).items())
        return f"{self.scan}: {lost} is not there. Check the path. In a pattern, for this scan, {known}."

    def command(self) -> str:
        """Return the command line that makes this result, with file names without their folders."""
        words = ["medunsup", "segment", self.scan.name]
        words += ["--mask", self.mask.name] if self.mask else []
        for name, path in self.contrasts.items():
            words += ["--with", f"{name}={path.name}"]
        words += self.settings.as_options()
        words += ["-o", "out"] if self.out else []
        return shlex.join(words)

    def status(self) -> tuple[Status, str]:
        """Whether the result is not there, there, or there but made otherwise; and what differs."""
        to_be_learned = self.settings.learn_prior and self.prior is None  # it may be the same
        without = "prior" if to_be_learned else ""
        return status_of(self.names.path(DSEG), SegmentSidecar, self.identity, without=without)


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


def placeholders(scan: Path) -> dict[str, str]:
    """List what a pattern may hold, with a scan's values; `id` is the stem without its last _part."""
    name = stem(scan)
    return {"folder": str(scan.parent), "stem": name, "id": name.rsplit("_", 1)[0]}


def fill(pattern: str | Path, scan: Path) -> Path:
    """Fill the placeholders of a path from a scan's own. Raises UsageError for one that is not known."""
    try:
        return user_path(str(pattern).format(**placeholders(scan)))
    except (KeyError, IndexError, ValueError) as error:
        raise UsageError(f"{pattern}: only {{folder}}, {{stem}} and {{id}} can be filled in.") from error


def check_patterns(paths: Sequence[str | Path], n_scans: int) -> None:
    """Raise UsageError if one of the files given beside the scans is the same for several of them."""
    plain = next((path for path in paths if "{" not in str(path)), None)
    if plain is not None and n_scans > 1:
        raise UsageError(
            f"{plain} is one file for {n_scans} scans. Name each scan's own with a pattern, "
            "such as '{folder}/{stem}_mask.nii.gz'."
        )


def check_there(requests: Sequence[Request]) -> None:
    """Raise UsageError if no scan can be begun for want of a file; if some can, the rest fail one by one."""
    missing = [why for request in requests if (why := request.missing())]
    if missing and len(missing) == len(requests):
        more = f" (The same goes for {len(missing) - 1} more.)" if len(missing) > 1 else ""
        raise UsageError(missing[0] + more)


def _why_lost(path: Path) -> str:
    command = how_to_fetch(path)
    if command:
        return f"{path}: its content has not been fetched. {command}"
    return f"{path}: there is no such file or folder. Check the path."


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
    changed = [f"{key} {before.get(key)}, not {now[key]}" for key in now if before.get(key) != now[key]]
    return "other", "made with " + "; ".join(changed)
