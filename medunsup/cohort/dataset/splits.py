"""Which scans a model learns from, which it is calibrated on: parts of a data set that share nobody."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from medunsup.cohort.dataset.sources import Case, Part
from medunsup.cohort.reading import region_of
from medunsup.core.errors import EmptyImageError, InputError

LEAST: dict[Part, int] = {"train": 4, "validation": 1, "calibration": 2}
LEAST_PAIR = 2  # subjects whom pretraining can tell apart
MOST = 10_000  # where shares leave so little for training that the search for enough ends
SPLIT: dict[Part, str] = {
    "train": "training split",
    "validation": "validation split",
    "calibration": "calibration split",
}


def split(
    cases: Sequence[Case],
    *,
    validation: float,
    calibration: float,
    seed: int,
    stops_early: bool = True,
    left_out: str = "",
) -> dict[Part, list[Case]]:
    """Give each subject a part: the one the table names, or one drawn at random; test cases are left out.

    `validation` and `calibration` are shares of the subjects. All scans of a subject go together. A model
    that never `stops_early` needs no validation: what is drawn for it goes to calibration.

    Raises InputError if a subject stands in two parts, if some cases have a part and others none, or if
    there are too few subjects, saying how many are needed and who was `left_out`.
    """
    parts = _parts_given(cases)
    least = LEAST if stops_early else LEAST | {"validation": 0}
    if not stops_early:
        validation, calibration = 0.0, validation + calibration
    given = cases
    if "" in parts:
        n_validation, n_calibration = _sizes(
            len({case.subject for case in cases}), validation, calibration, least
        )
        given = _draw(cases, n_calibration, n_validation, seed)
    split: dict[Part, list[Case]] = {part: [] for part in LEAST}
    for case in given:
        if case.part != "test":
            split[case.part].append(case)  # type: ignore[index]
    _refuse_split_subjects(given)
    fewest = _fewest(validation, calibration, least) if "" in parts else sum(least.values())
    _refuse_too_few(split, least, fewest, left_out)
    return split


def split_off_validation(cases: Sequence[Case], *, validation: float, seed: int) -> dict[Part, list[Case]]:
    """Give each subject to training or, by the share `validation`, to validation, all scans of it together.

    A table's splits are kept; those it names for calibration or test are left out, for they must not be seen.

    Raises InputError as `split` does, and for fewer than two subjects to learn from.
    """
    given = cases
    if "" in _parts_given(cases):
        n_subjects = len({case.subject for case in cases})
        n_validation = min(round(validation * n_subjects), max(0, n_subjects - LEAST_PAIR))
        given = _draw(cases, 0, n_validation, seed)
    _refuse_split_subjects(given)
    kept: tuple[Part, ...] = ("train", "validation")
    split = {part: [case for case in given if case.part == part] for part in kept}
    n = len({case.subject for case in split["train"]})
    if n < LEAST_PAIR:
        raise InputError(
            f"Too few subjects: {n} for the training split, of {len(cases)} scans. At least {LEAST_PAIR} "
            "are needed, to tell people apart. A subject is named by sub- or all before the last _, or in a "
            "table."
        )
    return split


def only_healthy(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Part those whom the source calls healthy from all others.

    Where it says something of some, those of whom it says nothing are others as well; where it says nothing
    of anybody, all are healthy because the user gave them as such.

    Raises InputError for a scan called healthy whose lesion mask is not empty.
    """
    for case in (case for case in cases if case.is_healthy and case.lesions is not None):
        if _holds_lesions(case.lesions):
            called = f"is named {case.group}" if case.group else "counts as healthy, since no group is named"
            raise InputError(
                f"{case.scan}: {called}, but its lesion mask is not empty. "
                "Name its group patient, or leave it out."
            )
    is_told = any(case.state != "given" for case in cases)
    wanted = "healthy" if is_told else "given"
    return [case for case in cases if case.state == wanted], [case for case in cases if case.state != wanted]


def one_a_subject(cases: Sequence[Case]) -> list[Case]:
    """Keep the first scan of each subject: a person's scans resemble one another, and would count as many."""
    return list({case.subject: case for case in reversed(cases)}.values())[::-1]


def refuse_twins(cases: Sequence[Case], hashes: Sequence[str]) -> None:
    """Raise InputError if two scans are the same by their hash, naming both."""
    first: dict[str, Case] = {}
    for case, value in zip(cases, hashes, strict=True):
        other = first.setdefault(value, case)
        if other is not case:
            where = f" ({other.part} and {case.part})" if other.part != case.part else ""
            raise InputError(
                f"{other.scan} and {case.scan}: hold the same scan{where}. A scan may stand in one part "
                "only, once; leave one of them out."
            )


def _parts_given(cases: Sequence[Case]) -> set[str]:
    """Return which parts a table names. Raises InputError if some cases have one and others none."""
    parts = {case.part for case in cases}
    if "" in parts and len(parts) > 1:
        lost = next(case for case in cases if not case.part)
        raise InputError(
            f"{lost.scan.name}: has no part while others have. Fill the column, or leave it out."
        )
    return parts


def _draw(cases: Sequence[Case], n_calibration: int, n_validation: int, seed: int) -> list[Case]:
    """Give so many subjects to calibration and validation, the others to training."""
    subjects = sorted({case.subject for case in cases})
    order = [subjects[n] for n in np.random.default_rng(seed).permutation(len(subjects))]
    part_of = dict.fromkeys(order, "train")
    part_of |= dict.fromkeys(order[:n_calibration], "calibration")
    part_of |= dict.fromkeys(order[n_calibration : n_calibration + n_validation], "validation")
    return [replace(case, part=part_of[case.subject]) for case in cases]


def _sizes(n: int, validation: float, calibration: float, least: Mapping[Part, int]) -> tuple[int, int]:
    """Return how many of `n` subjects validation and calibration get."""
    return (
        max(round(validation * n), least["validation"]),
        max(round(calibration * n), least["calibration"]),
    )


def _fewest(validation: float, calibration: float, least: Mapping[Part, int]) -> int:
    """Return the smallest number of subjects of which enough are left for training."""
    start = sum(least.values())
    enough = (
        n for n in range(start, MOST) if n - sum(_sizes(n, validation, calibration, least)) >= least["train"]
    )
    return next(enough, start)


def _refuse_split_subjects(cases: Iterable[Case]) -> None:
    parts = defaultdict(set)
    for case in cases:
        parts[case.subject].add(case.part)
    for subject, found in parts.items():
        if len(found) > 1:
            raise InputError(
                f"Subject {subject} stands in the parts {' and '.join(sorted(found))}. All scans of a "
                "subject belong in one part, or the model is tested on whom it knows."
            )


def _refuse_too_few(
    split: Mapping[Part, list[Case]], least: Mapping[Part, int], fewest: int, left_out: str
) -> None:
    every = [case.subject for cases in split.values() for case in cases]
    n_all = len(set(every))
    hint = (
        " A subject is named by sub- or all before the last _, or in a table." if n_all < len(every) else ""
    )
    needed = ", ".join(f"{count} for the {SPLIT[part]}" for part, count in least.items() if count)
    for part, count in least.items():
        n = len({case.subject for case in split[part]})
        if n < count:
            raise InputError(
                f"Too few healthy subjects: {n} of {n_all} for the {SPLIT[part]}. At least {fewest} are "
                f"needed in all ({needed}); for p-values of 0.05 calibration needs 19, for 0.01 it needs "
                f"99.{hint} {left_out}".rstrip()
            )


def _holds_lesions(path: Path | None) -> bool:
    from medunsup.io.load import load

    try:
        return path is not None and bool(region_of(path, load(path).data).any())
    except EmptyImageError:
        return False
