"""Covariates of scans or images, such as the age: columns of a table, or arrays of a .npz file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.health import is_nothing
from medunsup.cohort.dataset.participants import TABLE
from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.io.files.npz import read_npz
from medunsup.io.files.tsv import read_tsv

WHO = ("participant_id", "subject", "subject_id", "id")
PREFIX: dict[SplitName, str] = {"train": "train_", "validation": "val_", "test": "test_"}
SHOWN = 3

Covariates = NDArray[np.float64]


def covariates_of_cases(cases: Sequence[Case], source: Path, columns: Sequence[str]) -> Covariates:
    """Return the covariates (N, P) of cases, as the columns of a table say.

    `source` is the table of scans itself, or a folder with a participants.tsv.

    Raises UsageError without such a table or column, InputError for a case without a finite number.
    """
    if not columns:
        return np.zeros((len(cases), 0))
    table = source / TABLE if source.is_dir() else source
    if not table.is_file():
        raise UsageError(f"{table}: is not there, and {option('covariates')} are columns of it.")
    rows = read_tsv(table).rows
    names = list(rows[0]) if rows else []
    lost = [column for column in columns if column not in names]
    if lost:
        raise UsageError(f"{table}: has no column {lost[0]}, only {', '.join(names)}.")
    who = next((name for name in ("scan", *WHO) if name in names), names[0])
    by_key = {_key(row[who], who, table): row for row in rows}
    return np.array([_numbers(case, by_key, who, columns, table) for case in cases], dtype=np.float64)


def covariates_of_images(
    path: Path, splits: Mapping[SplitName, int], columns: Sequence[str]
) -> dict[SplitName, Covariates]:
    """Return the covariates (N, P) of each split: of "age" those of `train_age` and `val_age`.

    Raises UsageError without such an array, InputError if it holds other than one finite number an image.
    """
    arrays, found = read_npz(path) or {}, {}
    for split, n in splits.items():
        keys = [f"{PREFIX[split]}{column}" for column in columns]
        for key in keys:
            if key not in arrays:
                raise UsageError(f"{path}: holds no {key}, only {', '.join(arrays)}.")
            given = arrays[key]
            if given.dtype.kind not in "iuf" or given.size != n or not np.isfinite(given).all():
                raise InputError(
                    f"{path}: {key} is {given.dtype} of the shape {given.shape} for {n} images. Give one "
                    "finite number an image."
                )
        found[split] = np.stack([arrays[key].reshape(n) for key in keys], axis=1).astype(np.float64)
    return found


def _numbers(
    case: Case, by_key: Mapping[str, Mapping[str, str]], who: str, columns: Sequence[str], table: Path
) -> list[float]:
    row = by_key.get(_key(str(case.scan) if who == "scan" else case.subject, who, table))
    if row is None:
        raise InputError(f"{table}: has no row of {case.subject} ({case.scan.name}). Add it.")
    return [_number(row[column], f"{table}: {column} of {case.subject}") for column in columns]


def _number(cell: str, where: str) -> float:
    try:
        value = float("nan") if is_nothing(cell) else float(cell)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(f"{where} is {cell or 'empty'!r}, no finite number. Fill it, or leave the scan out.")
    return value


def _key(name: str, who: str, table: Path) -> str:
    if who == "scan":
        return str((table.parent / name.strip()).resolve())
    return name.strip().removeprefix("sub-")
