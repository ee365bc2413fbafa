"""Rows of one subject, such as its sessions: halves and folds take whole subjects, who count once."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import ArrayError
from medunsup.metrics.confounding import MISSING

Floats = NDArray[np.float64]
Subjects = NDArray[np.int64]  # (N,) numbers from 0, the same for rows of one subject


def subjects_of(groups: Sequence[Hashable] | None, n: int) -> Subjects | None:
    """Give the subjects of n rows numbers; None where each row is one by itself.

    A row whose name is empty, "n/a" or the like is a subject of its own.
    Raises ArrayError if there is not one name for each row.
    """
    if groups is None:
        return None
    if len(groups) != n:
        raise ArrayError(f"groups name the subject of each row: {n} are needed, not {len(groups)}.")
    numbers: dict[Hashable, int] = {}
    found = [
        numbers.setdefault(("row", row) if str(name).strip().lower() in MISSING else name, len(numbers))
        for row, name in enumerate(groups)
    ]
    return None if len(numbers) == n else np.array(found, np.int64)


def count(subjects: Subjects | None, n: int) -> int:
    """Return the number of subjects of n rows."""
    return n if subjects is None else int(subjects.max()) + 1


def halves(
    n: int, subjects: Subjects | None, generator: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of two random halves of the subjects."""
    order = generator.permutation(count(subjects, n))
    first, second = order[: len(order) // 2], order[len(order) // 2 :]
    if subjects is None:
        return first, second
    return np.flatnonzero(np.isin(subjects, first)), np.flatnonzero(np.isin(subjects, second))


def folds(n: int, subjects: Subjects | None, k: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return the fold (N,) of each row, 0 to k - 1, the same for all rows of a subject."""
    fold = generator.permutation(count(subjects, n)) % k
    return fold if subjects is None else fold[subjects]


def one_each(n: int, subjects: Subjects | None, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Mark one row (N,) of each subject, drawn by chance.

    Not the mean of its rows: rows averaged within a cluster lie nearer its middle, which makes a valley where
    there is none.
    """
    if subjects is None:
        return np.ones(n, bool)
    order = generator.permutation(n)
    marked = np.zeros(n, bool)
    marked[order[np.unique(subjects[order], return_index=True)[1]]] = True
    return marked


def means(rows: Floats, subjects: Subjects) -> Floats:
    """Return the mean row (G, D) of each subject."""
    sums = np.zeros((count(subjects, len(rows)), rows.shape[1]))
    np.add.at(sums, subjects, rows)
    return sums / np.bincount(subjects)[:, None]
