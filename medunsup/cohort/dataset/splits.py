"""Which scans a model learns from, which it is calibrated on: splits of a data set that share nobody."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from medunsup.cohort.dataset.sources import Case, SplitName
from medunsup.cohort.reading import region_of
from medunsup.core.errors import EmptyImageError, InputError

LEAST: dict[SplitName, int] = {"train": 4, "validation": 1, "calibration": 2}
LEAST_PAIR = 2  # subjects whom pretraining can tell apart
MOST = 10_000  # where shares leave so little for training that the search for enough ends
NAMED: dict[SplitName, str] = {
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
) -> dict[SplitName, list[Case]]:
    """Give each subject a split: the one the table names, or one drawn at random; test cases are left out.

    `validation` and `calibration` are shares of the subjects. All scans of a subject go together. A model
    that never `stops_early` needs no validation: what is drawn for it goes to calibration.

    Raises InputError if a subject stands in two splits, if some cases have a split and others none, or if
    there are too few subjects, saying how many are needed and who was `left_out`.
    """
    splits = _splits_given(cases)
    least = LEAST if stops_early else LEAST | {"validation": 0}
    if not stops_early:
        validation, calibration = 0.0, validation + calibration
    given = cases
    if "" in splits:
        n_validation, n_calibration = _sizes(
            len({case.subject for case in cases}), validation, calibration, least
        )
        given = _draw(cases, n_calibration, n_validation, seed)
    found: dict[SplitName, list[Case]] = {name: [] for name in LEAST}
    for case in given:
        if case.split != "test":
            found[case.split].append(case)  # type: ignore[index]
    _refuse_split_subjects(given)
    fewest = _fewest(validation, calibration, least) if "" in splits else sum(least.values())
    _refuse_too_few(found, least, fewest, left_out)
    return found


def split_off_validation(
    cases: Sequence[Case], *, validation: float, seed: int
) -> dict[SplitName, list[Case]]:
    """Give each subject to training or, by the share `validation`, to validation, all scans of it together.

    A table's splits are kept; those it names for calibration or test are left out, for they must not be seen.

    Raises InputError as `split` does, and for fewer than two subjects to learn from.
    """
    given = cases
    if "" in _splits_given(cases):
        n_subjects = len({case.subject for case in cases})
        n_validation = min(round(validation * n_subjects), max(0, n_subjects - LEAST_PAIR))
        given = _draw(cases, 0, n_validation, seed)
    _refuse_split_subjects(given)
    kept: tuple[SplitName, ...] = ("train", "validation")
    found = {name: [case for case in given if case.split == name] for name in kept}
    n = len({case.subject for case in found["train"]})
    if n < LEAST_PAIR:
        raise InputError(
            f"Too few subjects: {n} for the training split, of {len(cases)} scans. At least {LEAST_PAIR} "
            "are needed, to tell people apart. A subject is named by sub- or all before the last _, or in a "
            "table."
        )
    return found


def split_off_test(
    cases: Sequence[Case], *, test: float, seed: int, known: Collection[str] = ()
) -> dict[SplitName, list[Case]]:
    """Give each subject to training or, by the share `test`, to the test split, all scans of it together.

    A table's splits are kept; those it names for validation or calibration are left out. `known` subjects are
    not drawn for the test split as long as there are others.

    Raises InputError as `split` does, and unless both splits have a subject.
    """
    given = cases
    if "" in _splits_given(cases):
        order = _in_random_order(cases, seed)
        order.sort(key=lambda subject: subject in known)  # stable: the order drawn stays
        chosen = set(order[: min(max(1, round(test * len(order))), len(order) - 1)])
        given = [replace(case, split="test" if case.subject in chosen else "train") for case in cases]
    _refuse_split_subjects(given)
    kept: tuple[SplitName, ...] = ("train", "test")
    found = {name: [case for case in given if case.split == name] for name in kept}
    n_subjects = len({case.subject for case in cases})
    for name, cases_of in found.items():
        if not cases_of:
            raise InputError(
                f"No subject is left for the {name} split: {n_subjects} in all. Give at least two, "
                "one to learn from and one to test on."
            )
    return found


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


def refuse_duplicates(cases: Sequence[Case], hashes: Sequence[str]) -> None:
    """Raise InputError if two scans are the same by their hash, naming both."""
    first: dict[str, Case] = {}
    for case, value in zip(cases, hashes, strict=True):
        other = first.setdefault(value, case)
        if other is not case:
            where = f" ({other.split} and {case.split})" if other.split != case.split else ""
            raise InputError(
                f"{other.scan} and {case.scan}: hold the same scan{where}. A scan may stand in one split "
                "only, once; leave one of them out."
            )


def _splits_given(cases: Sequence[Case]) -> set[str]:
    """Return which splits a table names. Raises InputError if some cases have one and others none."""
    splits = {case.split for case in cases}
    if "" in splits and len(splits) > 1:
        lost = next(case for case in cases if not case.split)
        raise InputError(
            f"{lost.scan.name}: has no split while others have. Fill the column, or leave it out."
        )
    return splits


def _in_random_order(cases: Sequence[Case], seed: int) -> list[str]:
    """Shuffle the subjects; the order of the cases plays no part."""
    subjects = sorted({case.subject for case in cases})
    return [subjects[n] for n in np.random.default_rng(seed).permutation(len(subjects))]


def _draw(cases: Sequence[Case], n_calibration: int, n_validation: int, seed: int) -> list[Case]:
    """Give so many subjects to calibration and validation, the others to training."""
    order = _in_random_order(cases, seed)
    split_of = dict.fromkeys(order, "train")
    split_of |= dict.fromkeys(order[:n_calibration], "calibration")
    split_of |= dict.fromkeys(order[n_calibration : n_calibration + n_validation], "validation")
    return [replace(case, split=split_of[case.subject]) for case in cases]


def _sizes(n: int, validation: float, calibration: float, least: Mapping[SplitName, int]) -> tuple[int, int]:
    """Return how many of `n` subjects validation and calibration get."""
    return (
        max(round(validation * n), least["validation"]),
        max(round(calibration * n), least["calibration"]),
    )


def _fewest(validation: float, calibration: float, least: Mapping[SplitName, int]) -> int:
    """Return the smallest number of subjects of which enough are left for training."""
    start = sum(least.values())
    enough = (
        n for n in range(start, MOST) if n - sum(_sizes(n, validation, calibration, least)) >= least["train"]
    )
    return next(enough, start)


def _refuse_split_subjects(cases: Iterable[Case]) -> None:
    splits = defaultdict(set)
    for case in cases:
        splits[case.subject].add(case.split)
    for subject, found in splits.items():
        if len(found) > 1:
            raise InputError(
                f"Subject {subject} stands in the splits {' and '.join(sorted(found))}. All scans of a "
                "subject belong in one split, or the model is tested on whom it knows."
            )


def _refuse_too_few(
    splits: Mapping[SplitName, list[Case]], least: Mapping[SplitName, int], fewest: int, left_out: str
) -> None:
    every = [case.subject for cases in splits.values() for case in cases]
    n_all = len(set(every))
    hint = (
        " A subject is named by sub- or all before the last _, or in a table." if n_all < len(every) else ""
    )
    needed = ", ".join(f"{count} for the {NAMED[name]}" for name, count in least.items() if count)
    for name, count in least.items():
        n = len({case.subject for case in splits[name]})
        if n < count:
            raise InputError(
                f"Too few healthy subjects: {n} of {n_all} for the {NAMED[name]}. At least {fewest} are "
                f"needed in all ({needed}); for p-values of 0.05 calibration needs 19, for 0.01 it needs "
                f"99.{hint} {left_out}".rstrip()
            )


def _holds_lesions(path: Path | None) -> bool:
    from medunsup.io.load import load

    try:
        return path is not None and bool(region_of(path, load(path).data).any())
    except EmptyImageError:
        return False
