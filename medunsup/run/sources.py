"""Where scans come from: a folder, a BIDS data set or a table; and who is who in them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from medunsup.core.errors import InputError, UsageError
from medunsup.core.paths import user_path
from medunsup.io.bids import IMAGE_ENDINGS, contrast_of_name, stem
from medunsup.run.bids_app import find_scans
from medunsup.run.given import without_results
from medunsup.run.request import fill

Part = Literal["train", "validation", "calibration", "test"]

COLUMNS = ("scan", "mask", "lesions", "subject", "site", "group", "part")
HEALTHY_WORDS = ("", "n/a", "healthy", "control", "controls", "normal")
NOT_SCANS = ("mask", "lesions", "dseg", "probseg", "statmap", "seg", "label", "brainmask")


@dataclass(frozen=True)
class Case:
    """One scan: its files, whose it is, from which scanner, of which group, and for which part.

    `lesions` is a mask of true lesions, if known; `part` is empty until one is given or drawn.
    """

    scan: Path
    subject: str
    mask: Path | None = None
    lesions: Path | None = None
    site: str = ""
    group: str = ""
    part: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether the table names the scan healthy, or says nothing."""
        return self.group.lower() in HEALTHY_WORDS


def read_source(source: Path, *, contrast: str | None = None, mask: str | None = None) -> list[Case]:
    """List the scans of a table (TSV), a BIDS data set or a folder of images.

    Paths in a table are relative to it; of a BIDS data set group and site come from `participants.tsv`.
    `contrast` picks scans by their names; `mask` is a pattern with {folder}, {stem} and {id}. Results of
    medunsup are left out. Raises UsageError if it is none of these, or if a column or word is not known;
    InputError if it holds no scan or names a file that is not there.
    """
    if source.is_file():
        return _read_table(source)
    if not source.is_dir():
        raise UsageError(
            f"{source}: there is no such file or folder. Give a table (TSV), a BIDS data set or a folder."
        )
    folders = any(each.is_dir() for each in source.glob("sub-*"))
    is_bids = (source / "dataset_description.json").is_file() and folders
    found = find_scans(source, contrast=contrast or "T1w") if is_bids else _images(source, contrast)
    scans = without_results(found)
    masks = [fill(mask, scan) if mask else None for scan in scans]
    known_as = _subjects(scans)
    cases = [Case(*each) for each in zip(scans, known_as, masks, strict=True)]
    if is_bids:
        people = _participants(source / "participants.tsv")
        known = [people.get(case.subject, ("", "")) for case in cases]
        cases = [replace(case, group=of[0], site=of[1]) for case, of in zip(cases, known, strict=True)]
    _check_there(cases, source)
    return cases


def _participants(path: Path) -> dict[str, tuple[str, str]]:
    """Read group and site of each participant of a BIDS data set; nothing if there is no such table."""
    if not path.is_file():
        return {}
    rows = csv.DictReader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {
        row.get("participant_id") or "": (_known(row.get("group") or ""), _known(row.get("site") or ""))
        for row in rows
    }


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no table. Save it as text (TSV) in UTF-8.") from error


def _known(cell: str) -> str:
    """Return a cell without blanks, empty where BIDS writes n/a."""
    value = cell.strip()
    return "" if value == "n/a" else value


def _read_table(path: Path) -> list[Case]:
    lines = _lines(path)
    names, *rows = csv.reader(lines or [""], delimiter="\t", quoting=csv.QUOTE_NONE)
    _check_columns(names, path)
    cases = []
    for number, row in enumerate(rows, start=2):
        if len(row) > len(names):
            raise UsageError(f"{path}: line {number} has {len(row)} cells, more than columns ({len(names)}).")
        if any(row):
            cases.append(_case(dict(zip(names, row, strict=False)), path))
    if "subject" not in names:
        subjects = _subjects([case.scan for case in cases])
        cases = [replace(case, subject=whose) for case, whose in zip(cases, subjects, strict=True)]
    _check_there(cases, path)
    return cases


def _check_columns(names: Sequence[str], path: Path) -> None:
    if "scan" not in names:
        raise UsageError(f"{path}: has no column 'scan' (tabs part columns), only {', '.join(names)}.")
    for name in names:
        if name not in COLUMNS and not name.startswith("_"):
            raise UsageError(f"{path}: unknown column {name!r}. Known: {', '.join(COLUMNS)}.")
        if names.count(name) > 1:
            raise UsageError(f"{path}: has the column {name!r} twice. Leave one of them out.")


def _case(row: Mapping[str, str], table: Path) -> Case:
    values = {key: _known(value) for key, value in row.items()}
    files = {
        key: table.parent / user_path(values[key]) for key in ("scan", "mask", "lesions") if values.get(key)
    }
    if "scan" not in files:
        raise UsageError(f"{table}: a row has no scan.")
    part = values.get("part", "")
    if part and part not in get_args(Part):
        raise UsageError(f"{table}: part {part!r} is none of {', '.join(get_args(Part))}.")
    return Case(
        scan=files["scan"],
        subject=values.get("subject") or _subject(files["scan"]),
        mask=files.get("mask"),
        lesions=files.get("lesions"),
        site=values.get("site", ""),
        group=values.get("group", ""),
        part=part,
    )


def _images(folder: Path, contrast: str | None) -> list[Path]:
    """Images below a folder, in order of their names; DICOM folders are listed in a table."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.lower().endswith(IMAGE_ENDINGS) and not path.name.startswith(".")
    ]
    scans = [path for path in files if stem(path).rsplit("_", 1)[-1].lower() not in NOT_SCANS]
    if contrast:
        scans = [path for path in scans if contrast_of_name(path.name) == contrast]
    return scans


def _subjects(scans: Sequence[Path]) -> list[str]:
    """Read whose each scan is; where all files are called alike (p1/T1.nii.gz), their folders tell."""
    own = [_subject(scan) for scan in scans]
    if len({scan.name for scan in scans}) != 1 or own[0].startswith("sub-"):
        return own
    folders = [scan.absolute().parent.parts for scan in scans]
    apart = next((names for names in zip(*folders, strict=False) if len(set(names)) > 1), own)
    return list(apart)


def _subject(scan: Path) -> str:
    """Read whose a scan is: its BIDS sub-, or its name without the last _part."""
    first, _, rest = stem(scan).partition("_")
    return first if first.startswith("sub-") or not rest else stem(scan).rsplit("_", 1)[0]


def _check_there(cases: Sequence[Case], source: Path) -> None:
    if not cases:
        raise InputError(f"{source}: holds no scan. Give NIfTI or MGZ files, or a table.")
    files = [file for case in cases for file in (case.scan, case.mask, case.lesions) if file is not None]
    missing = [file for file in files if not file.exists()]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise InputError(f"{missing[0]}: is named in {source.name} but is not there{more}. Check the path.")
