"""Where scans come from: a folder, a BIDS data set or a table; and who is who in them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from medunsup.cohort.dataset.bids import find_scans, holds_subjects
from medunsup.cohort.dataset.folders import images_below
from medunsup.cohort.dataset.health import HealthyWords, Meaning, State, is_nothing, meaning_of_group
from medunsup.cohort.dataset.participants import Person, people
from medunsup.cohort.dataset.same_scan import without_repeats
from medunsup.cohort.inputs_filter import without_results
from medunsup.cohort.patterns import fill
from medunsup.core.errors import InputError, MissingError, UsageError
from medunsup.core.paths import user_path
from medunsup.core.renamed import by_new_names
from medunsup.io.bids.names import IMAGE_ENDINGS, contrast_of_name, stem
from medunsup.io.files.fetched import how_to_fetch
from medunsup.io.files.tsv import Table, read_tsv

SplitName = Literal["train", "validation", "calibration", "test"]
# What a model did with the scans of a split that it knows.
PRETRAINING = "pretraining"
HOW = {
    "train": "learned from",
    "validation": "stopped learning by",
    "calibration": "was calibrated on",
    PRETRAINING: "has an encoder that was pretrained on",
}

RENAMED = {"part": "split"}
COLUMNS = ("scan", "mask", "lesions", "labels", "subject", "site", "group", "split")


@dataclass(frozen=True)
class Case:
    """One scan: its files, whose it is, from which scanner, of which group, and for which split.

    `lesions` is a mask of true lesions and `labels` a label map, if known; `split` is empty until one is
    given or drawn. `state` says whether the source calls its subject healthy ("given": it says nothing, so
    only the user does), and `evidence` by which word: "group control", "no row in participants.tsv".
    """

    scan: Path
    subject: str
    mask: Path | None = None
    lesions: Path | None = None
    site: str = ""
    group: str = ""
    split: str = ""
    state: State = "given"
    evidence: str = ""
    labels: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All files of the case."""
        named = (self.scan, self.mask, self.lesions, self.labels)
        return [file for file in named if file is not None]

    @property
    def is_healthy(self) -> bool:
        """Whether the source calls the subject healthy, or has no say at all."""
        return self.state in ("healthy", "given")


@dataclass(frozen=True)
class Source:
    """The scans of a source, and how many files were left out for which reason."""

    cases: list[Case]
    left_out: Counter[str] = field(default_factory=Counter)
    kind: Literal["table", "data set", "folder"] = "folder"


def read_source(
    source: Path,
    *,
    contrast: str | None = None,
    mask: str | None = None,
    healthy: HealthyWords | None = None,
) -> list[Case]:
    """List the scans of a table (TSV), a BIDS data set or a folder of images: `open_source`, scans alone."""
    return open_source(source, contrast=contrast, mask=mask, healthy=healthy).cases


def open_source(
    source: Path,
    *,
    contrast: str | None = None,
    mask: str | None = None,
    healthy: HealthyWords | None = None,
) -> Source:
    """List the scans of a table (TSV), a BIDS data set or a folder of images, and what was left out.

    Paths in a table are relative to it; of a data set group and site come from `participants.tsv` (see
    `participants.people`), and `healthy` says which of its words mean healthy where that is not known.
    `contrast` picks scans by their names; `mask` is a pattern with {folder}, {stem} and {id}. Results of
    medunsup, phase images and repeats of one acquisition are left out. Raises UsageError if it is none of
    these, or if a column or word is not known; InputError if it holds no scan or names a file that is not
    there.
    """
    if source.is_file():
        return Source(_read_table(source, healthy), kind="table")
    if not source.is_dir():
        raise UsageError(
            f"{source}: there is no such file or folder. Give a table (TSV), a BIDS data set or a folder."
        )
    is_bids = holds_subjects(source)
    found = find_scans(source, contrast=contrast or "T1w") if is_bids else _images(source, contrast)
    scans, left_out = without_repeats(without_results(found))
    masks = [fill(mask, scan) if mask else None for scan in scans]
    cases = [Case(*each) for each in zip(scans, _subjects(scans), masks, strict=True)]
    _check_there(cases, source, contrast)
    known = people(source, (case.subject for case in cases), healthy)
    cases = [_of_person(case, known[case.subject]) for case in cases]
    return Source(cases, left_out, kind="data set" if is_bids else "folder")


def refuse_unfetched(cases: Sequence[Case]) -> None:
    """Raise InputError with the command that fetches it if the content of a file has not been fetched."""
    files = [file for case in cases for file in case.files]
    commands = {file: command for file in files if (command := how_to_fetch(file))}
    if commands:
        first, command = next(iter(commands.items()))
        more = f" (nor has that of {len(commands) - 1} more)" if len(commands) > 1 else ""
        raise InputError(f"{first}: its content has not been fetched{more}. {command}")


def _of_person(case: Case, person: Person) -> Case:
    return replace(case, state=person.state, group=person.group, evidence=person.evidence, site=person.site)


def _known(cell: str) -> str:
    """Return a cell without blanks, empty where BIDS writes n/a."""
    return "" if is_nothing(cell) else cell.strip()


def _read_table(path: Path, healthy: HealthyWords | None) -> list[Case]:
    table = _by_new_names(read_tsv(path), path)
    _check_columns(table.names, path, healthy.column if healthy else "")
    columns = {name: [row[name] for row in table.rows] for name in table.names}
    told_by = meaning_of_group(columns, healthy, str(path))
    cases = [_case(row, path, told_by) for row in table.rows]
    if "subject" not in table.names:
        subjects = _subjects([case.scan for case in cases])
        cases = [replace(case, subject=whose) for case, whose in zip(cases, subjects, strict=True)]
    _check_there(cases, path)
    return cases


def _by_new_names(table: Table, path: Path) -> Table:
    names = by_new_names(dict.fromkeys(table.names), RENAMED, str(path))
    return Table(list(names), [by_new_names(row, RENAMED) for row in table.rows])


def _check_columns(names: Sequence[str], path: Path, asked: str) -> None:
    if "scan" not in names:
        raise UsageError(f"{path}: has no column 'scan' (tabs part columns), only {', '.join(names)}.")
    for name in names:
        if name not in (*COLUMNS, asked) and not name.startswith("_"):
            raise UsageError(f"{path}: unknown column {name!r}. Known: {', '.join(COLUMNS)}.")


def _case(row: Mapping[str, str], table: Path, told_by: Meaning) -> Case:
    values = {key: _known(value) for key, value in row.items()}
    files = {
        key: table.parent / user_path(values[key])
        for key in ("scan", "mask", "lesions", "labels")
        if values.get(key)
    }
    if "scan" not in files:
        raise UsageError(f"{table}: a row has no scan.")
    split = values.get("split", "")
    if split and split not in get_args(SplitName):
        raise UsageError(f"{table}: split {split!r} is none of {', '.join(get_args(SplitName))}.")
    cell = row.get(told_by.column, "")
    state = told_by.state(cell)
    return Case(
        scan=files["scan"],
        subject=values.get("subject") or subject_of(files["scan"]),
        mask=files.get("mask"),
        lesions=files.get("lesions"),
        labels=files.get("labels"),
        site=values.get("site", ""),
        group=_known(cell),
        split=split,
        state="given" if state == "unknown" else state,
        evidence=f"{told_by.column} {_known(cell) or 'n/a'}",
    )


def _images(folder: Path, contrast: str | None) -> list[Path]:
    """Images below a folder, in order of their names; DICOM folders are listed in a table."""
    scans = images_below(folder)
    return [path for path in scans if contrast_of_name(path.name) == contrast] if contrast else scans


def _subjects(scans: Sequence[Path]) -> list[str]:
    """Read whose each scan is; where all files are called alike (p1/T1.nii.gz), their folders tell."""
    own = [subject_of(scan) for scan in scans]
    if len({scan.name for scan in scans}) != 1 or own[0].startswith("sub-"):
        return own
    folders = [scan.absolute().parent.parts for scan in scans]
    apart = next((names for names in zip(*folders, strict=False) if len(set(names)) > 1), own)
    return list(apart)


def subject_of(scan: Path) -> str:
    """Read whose a scan is: its BIDS sub-, or its name without the last _part."""
    first, _, rest = stem(scan).partition("_")
    return first if first.startswith("sub-") or not rest else stem(scan).rsplit("_", 1)[0]


def _no_scan(source: Path, contrast: str | None) -> str:
    """Say what was looked for, where, and what is wanted."""
    if source.is_file():
        return f"{source}: names no scan. Give a table with a line for each scan."
    which = f"{contrast} scan by its name" if contrast and images_below(source) else "scan"
    return (
        f"{source}: holds no {which} (looked in it and in all folders below for {', '.join(IMAGE_ENDINGS)} "
        "and .hdr with .img). Give a folder that does; DICOM folders stand in a table (TSV, column scan)."
    )


def _check_there(cases: Sequence[Case], source: Path, contrast: str | None = None) -> None:
    if not cases:
        raise InputError(_no_scan(source, contrast))
    files = [file for case in cases for file in case.files]
    missing = [file for file in files if not file.exists() and not how_to_fetch(file)]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise MissingError(f"{missing[0]}: is named in {source.name} but is not there{more}. Check the path.")
