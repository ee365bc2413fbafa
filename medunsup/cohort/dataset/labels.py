"""Labels of subjects or images: a column of a table, or arrays of a .npz file."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.health import is_nothing
from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.io.files.npz import read_npz
from medunsup.io.files.tsv import read_tsv

WHO = ("participant_id", "subject", "subject_id", "id", "scan")
KEYS: dict[SplitName, str] = {"train": "train_labels", "test": "test_labels"}
SHOWN = 3
MOST_CLASSES = 20


def labels_of_cases(cases: Sequence[Case], table: Path, column: str | None) -> list[str]:
    """Return the label of each case as a table (TSV or CSV) gives it; empty where it says n/a.

    Rows belong to subjects, by participant_id, subject, subject_id or id with or without sub-, or to scans by
    the names of their files.

    Raises UsageError without such a column or without `column`; InputError for cases without a row, or rows
    without a case.
    """
    rows = _rows(table)
    names = list(rows[0]) if rows else []
    who = next((name for name in WHO if name in names), None)
    if who is None:
        raise UsageError(f"{table}: has no column that says whose a row is. Name one {', '.join(WHO)}.")
    wanted = column or (names[1] if len(names) == 2 and names[0] == who else None)
    if wanted is None or wanted not in names:
        raise UsageError(
            f"{table}: which column holds the labels? {f'There is no {column!r}. ' if column else ''}"
            f"Give {option('column')}, one of {', '.join(name for name in names if name != who)}."
        )
    by_key = {_key(row[who]): row[wanted] for row in rows}
    keys = [_key(case.scan.name if who == "scan" else case.subject) for case in cases]
    _refuse_unmatched(by_key, keys, cases, table)
    return ["" if is_nothing(by_key[key]) else by_key[key].strip() for key in keys]


def labels_of_images(path: Path, splits: Mapping[SplitName, int]) -> dict[SplitName, list[str]]:
    """Return the label of each image of some splits, `splits` saying how many there are.

    Raises InputError without labels, for several a image, or for other than one each.
    """
    arrays = read_npz(path) or {}
    found: dict[SplitName, list[str]] = {}
    for split, n in splits.items():
        key = KEYS[split]
        if key not in arrays:
            raise InputError(
                f"{path}: holds no {key}. Put one label an image there, as MedMNIST has it "
                f"({', '.join(arrays)} "
                "are there)."
            )
        given: NDArray[Any] = arrays[key]
        flat = given.reshape(len(given), -1) if given.ndim else given
        if flat.ndim != 2 or flat.shape[1] != 1 or len(flat) != n:
            raise InputError(
                f"{path}: {key} has the shape {given.shape} for {n} images. Give one label an image."
            )
        found[split] = [_word(value) for value in flat[:, 0]]
    return found


def classes_of(labels: Mapping[SplitName, Sequence[str]], where: str) -> tuple[str, ...]:
    """Return the classes in their order, numbers by their size.

    Raises InputError for fewer than two, for so many that they are no classes, or if one is tested on that is
    not learned.
    """
    known, asked = (sorted(set(labels[split]), key=_order) for split in KEYS)
    if len(known) < 2 or len(asked) < 2:
        split, one = ("training", known) if len(known) < 2 else ("test", asked)
        raise InputError(
            f"{where}: the {split} split holds one class alone ({', '.join(one) or 'none'}). Two are "
            "needed to "
            "tell apart: add others, or choose another column."
        )
    if len(known) > MOST_CLASSES:
        raise InputError(
            f"{where}: holds {len(known)} different labels, such as {', '.join(known[:SHOWN])}. Classes "
            "are told "
            f"apart, at most {MOST_CLASSES}: put numbers such as an age into groups first."
        )
    if lost := [one for one in asked if one not in known]:
        raise InputError(
            f"{where}: the test split holds {', '.join(lost[:SHOWN])}, which the training split does "
            "not. Split "
            "otherwise, or leave these out."
        )
    return tuple(known)


def _rows(path: Path) -> list[dict[str, str]]:
    if path.suffix.lower() != ".csv":
        return read_tsv(path).rows
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [{name: cell or "" for name, cell in row.items() if name} for row in csv.DictReader(file)]
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file. Check the path.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as a table ({error}). Save it as CSV in UTF-8.") from error


def _refuse_unmatched(
    by_key: Mapping[str, str], keys: Sequence[str], cases: Sequence[Case], table: Path
) -> None:
    without = [case.subject for case, key in zip(cases, keys, strict=True) if key not in by_key]
    if without:
        raise InputError(
            f"{table}: says nothing of {len(set(without))} subjects that have scans: {_few(without)}. "
            "Add their "
            "rows; n/a leaves a subject out."
        )
    if lost := [key for key in by_key if key not in set(keys)]:
        raise InputError(
            f"{table}: names {len(lost)} subjects that have no scan: {_few(lost)}. Leave their rows out, "
            "or give "
            "the folder that holds their scans."
        )


def _few(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    return ", ".join(shown[:SHOWN]) + (" ..." if len(shown) > SHOWN else "")


def _key(who: str) -> str:
    return who.strip().removeprefix("sub-")


def _word(value: Any) -> str:
    is_whole = isinstance(value, np.floating) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value)


def _order(label: str) -> tuple[bool, float, str]:
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label
