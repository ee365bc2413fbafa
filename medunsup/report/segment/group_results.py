"""Read what is known of each scan of a folder: its sidecar, and the thumbnail at the top of its page."""

import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from medunsup.io.files.walk import files_below
from medunsup.tissue.result import Quality

SIDECAR = "_dseg.json"
PAGE = "_report.html"
# The thumbnail stands at the top of a page, so that a group of 500 need not read gigabytes.
HEAD_BYTES = 40_000
PICTURE_BYTES = 3_500_000  # of all on one page, so that it stays below 5 MB
NOT_UNDERSTOOD = (
    "was made by another version, so its scan is left out of table and page. Make it again with --force."
)
THUMBNAIL = re.compile(rb'<meta name="thumbnail" content="(data:image/jpeg;base64,[A-Za-z0-9+/=]+)">')

log = logging.getLogger(__name__)
Read = TypeVar("Read")


@dataclass(frozen=True)
class GroupScan:
    """One scan of the group: `name` begins its results' names, `file` is the scan's own.

    `page` is the address of its report from the group page; it and the thumbnail may be empty.
    """

    name: str
    file: str
    quality: Quality
    volumes_mm3: dict[str, float]
    mask_mm3: float
    page: str
    thumbnail: str

    @property
    def shares(self) -> dict[str, float]:
        """Each tissue's share of the brain mask's volume."""
        whole = self.mask_mm3 or 1.0
        return {name: volume / whole for name, volume in self.volumes_mm3.items()}


@dataclass(frozen=True)
class FailedScan:
    """A scan that has no result of the last run, and the one line that says why."""

    file: str
    error: str


def read_scans(folder: Path) -> list[GroupScan]:
    """All scans in `folder` and below that have a whole result, by name."""
    return read_sidecars(folder, SIDECAR, _scan)


def read_sidecars(
    folder: Path, ending: str, read: Callable[[dict[str, Any], Path, Path], Read]
) -> list[Read]:
    """Return `read(facts, sidecar, folder)` for each sidecar of that ending in `folder` and below, by name.

    Those that are another program's or broken, or a killed run's in hiding, are passed over; our own that
    cannot be understood are named in the log.
    """
    found = []
    for sidecar in (path for path in files_below(folder) if path.name.endswith(ending)):
        facts: Any = None
        try:
            facts = json.loads(sidecar.read_text(encoding="utf-8"))
            found.append(read(facts, sidecar, folder))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
            if isinstance(facts, dict) and "Medunsup" in facts:
                log.error("%s: %s", sidecar, NOT_UNDERSTOOD)
    return found


def scan_file(facts: dict[str, Any]) -> str:
    """Return the name of the scan's own file."""
    return next(str(item["Name"]) for item in facts["Medunsup"]["Inputs"] if item["Role"] == "scan")


def subfolder(sidecar: Path, folder: Path) -> str:
    """Return the folders between as "patient07/"; nothing for a name after BIDS, which tells the subject."""
    within = sidecar.parent.relative_to(folder).as_posix()
    return "" if within == "." or sidecar.name.startswith("sub-") else f"{within}/"


def address(page: Path, folder: Path) -> str:
    """Return the address of a scan's page from a page in `folder`; empty if it is not there."""
    return quote(page.relative_to(folder).as_posix()) if page.is_file() else ""


def read_thumbnail(page: Path) -> str:
    """Return the picture at the top of a scan's page as a data address; empty if there is none."""
    if not page.is_file():
        return ""
    with page.open("rb") as file:
        found = THUMBNAIL.search(file.read(HEAD_BYTES))
    return found[1].decode("ascii") if found else ""


def those_that_fit(pictures: Sequence[str]) -> list[str]:
    """Leave out pictures from where they would make the page of all scans too large."""
    room = accumulate(map(len, pictures))
    return [item if used <= PICTURE_BYTES else "" for item, used in zip(pictures, room, strict=True)]


def _scan(facts: dict[str, Any], sidecar: Path, folder: Path) -> GroupScan:
    page = sidecar.with_name(sidecar.name.removesuffix(SIDECAR) + PAGE)
    place = subfolder(sidecar, folder)
    return GroupScan(
        name=place + sidecar.name.removesuffix(SIDECAR),
        file=place + scan_file(facts),
        quality=Quality.from_sidecar(facts["Quality"]),
        volumes_mm3={name: float(item["FromFractionsMM3"]) for name, item in facts["Volumes"].items()},
        mask_mm3=float(facts["BrainMaskMM3"]),
        page=address(page, folder),
        thumbnail=read_thumbnail(page),
    )
