"""Read what is known of each scan of a folder: its sidecar, and the thumbnail at the top of its page."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from medunsup.report.words import Shown, shown
from medunsup.tissue.result import Verdict

SIDECAR = "_dseg.json"
PAGE = "_report.html"
# The thumbnail stands at the top of a page, so that a group of 500 need not read gigabytes.
HEAD_BYTES = 40_000
THUMBNAIL = re.compile(rb'<meta name="thumbnail" content="(data:image/jpeg;base64,[A-Za-z0-9+/=]+)">')


@dataclass(frozen=True)
class GroupScan:
    """One scan of the group: `name` begins its results' names, `file` is the scan's own.

    `page` is the address of its report from the group page; it and the thumbnail may be empty.
    """

    name: str
    file: str
    verdict: Verdict
    reasons: tuple[str, ...]
    volumes_mm3: dict[str, float]
    mask_mm3: float
    measures: dict[str, float]
    page: str
    thumbnail: str

    @property
    def shown(self) -> Shown:
        """As what the verdict is shown."""
        return shown(self.verdict, self.reasons)

    @property
    def shares(self) -> dict[str, float]:
        """Each tissue's share of the brain mask's volume."""
        whole = self.mask_mm3 or 1.0
        return {name: volume / whole for name, volume in self.volumes_mm3.items()}


def read_scans(folder: Path) -> list[GroupScan]:
    """All scans in `folder` and below that have a whole result, by name."""
    found = (_read(path, folder) for path in sorted(folder.rglob(f"*{SIDECAR}")))
    return [scan for scan in found if scan is not None]


def _read(sidecar: Path, folder: Path) -> GroupScan | None:
    """Read one scan, or None if the sidecar is another program's or broken, or a killed run's in hiding."""
    if any(part.startswith(".") for part in sidecar.relative_to(folder).parts):
        return None
    try:
        facts = json.loads(sidecar.read_text(encoding="utf-8"))
        return _scan(facts, sidecar, folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None


def _scan(facts: dict[str, Any], sidecar: Path, folder: Path) -> GroupScan:
    page = sidecar.with_name(sidecar.name.removesuffix(SIDECAR) + PAGE)
    quality = facts["Quality"]
    if quality["Verdict"] not in get_args(Verdict):
        raise ValueError(f"{sidecar}: unknown verdict {quality['Verdict']!r}")
    return GroupScan(
        name=sidecar.name.removesuffix(SIDECAR),
        file=next(item["Name"] for item in facts["Medunsup"]["Inputs"] if item["Role"] == "scan"),
        verdict=quality["Verdict"],
        reasons=tuple(quality["Reasons"]),
        volumes_mm3={name: float(item["FromFractionsMM3"]) for name, item in facts["Volumes"].items()},
        mask_mm3=float(facts["BrainMaskMM3"]),
        measures={name: float(value) for name, value in quality.get("Measures", {}).items()},
        page=quote(page.relative_to(folder).as_posix()) if page.is_file() else "",
        thumbnail=_thumbnail(page),
    )


def _thumbnail(page: Path) -> str:
    if not page.is_file():
        return ""
    with page.open("rb") as file:
        found = THUMBNAIL.search(file.read(HEAD_BYTES))
    return found[1].decode("ascii") if found else ""
