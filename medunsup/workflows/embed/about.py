"""Whose row it is, and what is known of it: keys from names, covariates from the table of participants."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from medunsup.cohort.dataset.health import is_nothing
from medunsup.cohort.dataset.participants import TABLE
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.feature_table.read import KEY_OF, MARK
from medunsup.cohort.feature_table.table import FORBIDDEN
from medunsup.io.files.tsv import read_tsv

WHO = ("participant_id", "subject", "subject_id", "id")
FILES = ("scan", "mask", "lesions", "labels")  # columns of a table of scans that name files
SESSION = re.compile(r"(?:^|[_/\\])ses-([^_/\\.]+)")

Cells = dict[str, list[str]]
Row = Mapping[str, str]


def keys_of(cases: Sequence[Case], data: Path) -> Cells:
    """Return scan, subject and, where a name tells it, session of each case."""
    found = {
        "scan": [_printable(_relative(case.scan, data)) for case in cases],
        "subject": [_printable(case.subject) for case in cases],
        "session": [_session(case.scan) for case in cases],
    }
    return {name: cells for name, cells in found.items() if any(cells)}


def covariates_of(cases: Sequence[Case], data: Path) -> Cells:
    """Return all that the table of scans, or participants.tsv of the folder, says of each case."""
    table = data / TABLE if data.is_dir() else data
    if not table.is_file():
        return {}
    read = read_tsv(table)
    is_of_scans = not data.is_dir()
    who = "scan" if is_of_scans else next((name for name in WHO if name in read.names), read.names[0])
    rows: dict[str, list[Row]] = {}
    for row in read.rows:
        cell = row[who].strip()
        rows.setdefault(str((data.parent / cell).resolve()) if is_of_scans else _bare(cell), []).append(row)
    of_case = [
        _row(rows.get(str(c.scan.resolve()) if is_of_scans else _bare(c.subject), ()), c) for c in cases
    ]
    names = [name for name in read.names if name not in (who, *FILES) and name.casefold() not in KEY_OF]
    return {
        name.replace(MARK, "_"): [_cell(row.get(name, "")) for row in of_case]
        for name in names
        if name and not FORBIDDEN.search(name)
    }


def _row(rows: Sequence[Row], case: Case) -> Row:
    """Take the row of the scan's session if rows are of sessions, else the subject's first."""
    session = _session(case.scan)
    for row in rows:
        told = next((row[name] for name in ("session_id", "session") if name in row), "")
        if session and told.strip().removeprefix("ses-") == session:
            return row
    return rows[0] if rows else {}


def _session(scan: Path) -> str:
    found = SESSION.findall(scan.as_posix())
    return _printable(found[-1]) if found else ""


def _relative(scan: Path, data: Path) -> str:
    root = data if data.is_dir() else data.parent
    absolute = scan.absolute()  # links are not followed: the name in the folder is the one that is known
    is_inside = absolute.is_relative_to(root.absolute())
    return (absolute.relative_to(root.absolute()) if is_inside else scan).as_posix()


def _cell(word: str) -> str:
    return "" if is_nothing(word) else _printable(word)


def _bare(subject: str) -> str:
    return subject.strip().removeprefix("sub-")


def _printable(word: str) -> str:
    """Put a mark in place of bytes of a file's name that are no text."""
    return word.strip().encode("utf-8", "replace").decode()
