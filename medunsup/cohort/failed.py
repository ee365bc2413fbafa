"""Scans whose run broke: named in table and page of their folder until a run leaves a result of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.batch import Outcome
from medunsup.cohort.results import subfolder
from medunsup.core.errors import MedunsupError
from medunsup.io.bids.names import OutputNames
from medunsup.io.files.tsv import read_tsv

ERROR = "error"  # stands in a table where scans that have a result have their verdict
FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^/\s:]+/)+")


@dataclass(frozen=True)
class FailedScan:
    """A scan that has no result of the last run, and the one line that says why."""

    file: str
    error: str


def failed_scans(names: Sequence[OutputNames], outcomes: Sequence[Outcome]) -> dict[Path, list[FailedScan]]:
    """Name by root, in order, the scans that have no result of this run, as the table names scans."""
    found: dict[Path, list[FailedScan]] = {
        root: [] for root in sorted({each.root for each in names if each.root})
    }
    for each, outcome in zip(names, outcomes, strict=True):
        if outcome.error is not None and each.root is not None:
            place = subfolder(each.folder / each.stem, each.root)
            error = without_folders(outcome.error, outcome.scan)
            found[each.root].append(FailedScan(place + outcome.scan.name, error))
    return found


def without_folders(error: str, scan: Path) -> str:
    """Leave out the folders of files: a page is passed on, and they may name a person."""
    text = error.removeprefix(f"{scan}: ").replace(str(scan), scan.name)
    text = text.replace(f"{scan.parent}/", "") if scan.parent.name else text
    return FOLDERS.sub("", text)


def rows_of_failed(failed: Sequence[FailedScan], there: set[str], columns: Sequence[str]) -> list[list[str]]:
    """One row of n/a, with the cause, for each scan that failed and of which no result is `there`."""
    known = [{"scan": scan.file, "verdict": ERROR, "error": _cell(scan.error)} for scan in failed]
    return [[cells.get(name, "n/a") for name in columns] for cells in known if cells["scan"] not in there]


def with_earlier(table: Path, failed: Sequence[FailedScan], there: set[str]) -> list[FailedScan]:
    """Add those that the table names from earlier runs and of which there is no result yet."""
    now = {scan.file for scan in failed}
    return [*(scan for scan in _earlier(table) if scan.file not in now | there), *failed]


def _earlier(table: Path) -> list[FailedScan]:
    try:
        rows = read_tsv(table).rows
    except MedunsupError:
        return []
    return [
        FailedScan(row.get("scan", ""), row.get("error", "")) for row in rows if row.get("verdict") == ERROR
    ]


def _cell(text: str) -> str:
    """Keep a text in one cell of one row."""
    return " ".join(text.split())
