"""Whom is tested on, and whose labels are given: draws of subjects, each class by its share."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError

LEAST_A_CLASS = 2  # test subjects


def split_off_test_by_class(
    subjects: Sequence[str], labels: Sequence[str], *, share: float, seen: Collection[str], seed: int
) -> NDArray[np.bool_]:
    """Return which scans are tested on: those of a share of each class's subjects, none of them `seen`.

    Raises InputError if too few subjects of a class are left that were not seen.
    """
    label_of = _first_label(subjects, labels)
    rng, chosen = np.random.default_rng(seed), set[str]()
    for one in sorted(set(label_of.values())):
        everybody = sorted(who for who, label in label_of.items() if label == one)
        fresh = [who for who in everybody if who not in seen]
        n = max(LEAST_A_CLASS, round(share * len(everybody)))
        if len(fresh) < LEAST_A_CLASS or len(everybody) <= LEAST_A_CLASS:
            raise InputError(
                f"Too few subjects labelled {one} to test on: {len(fresh)} of {len(everybody)} were not "
                f"seen by pretraining, at least {LEAST_A_CLASS} are needed, and one more to learn from. "
                "Pretrain again on a table whose column split says test for some, or take other scans."
            )
        taken = rng.permutation(len(fresh))[: min(n, len(fresh), len(everybody) - 1)]
        chosen |= {fresh[place] for place in taken}
    return np.array([who in chosen for who in subjects])


def draw_labels(
    subjects: Sequence[str],
    labels: Sequence[int] | NDArray[np.intp],
    fraction: float,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Return the places of the scans of a share of the subjects, at least one of each class."""
    label_of = _first_label(subjects, labels)
    chosen = set[str]()
    for one in sorted(set(label_of.values())):
        everybody = sorted(who for who, label in label_of.items() if label == one)
        n = max(1, round(fraction * len(everybody)))
        chosen |= {everybody[place] for place in rng.permutation(len(everybody))[:n]}
    found = np.array([who in chosen for who in subjects])
    return np.flatnonzero(found)


def _first_label(subjects: Sequence[str], labels: Sequence[object] | NDArray[np.intp]) -> dict[str, str]:
    found: dict[str, str] = {}
    for who, label in zip(subjects, labels, strict=True):
        found.setdefault(who, str(label))
    return found
