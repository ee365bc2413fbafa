"""An order of rows that does not depend on how they came, and one of clusters."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def row_order(rows: Floats) -> Labels:
    """Return the order that sorts rows (N, D) by their first feature, ties by the next."""
    order = np.argsort(rows[:, 0], kind="stable")
    is_tied = np.diff(rows[order, 0]) == 0
    tied = np.flatnonzero(np.append(is_tied, False) | np.append(False, is_tied))
    if len(tied):  # these alone are sorted by all features, which takes long
        order[tied] = order[tied][np.lexsort(rows[order[tied]].T[::-1])]
    return order


def distinct_rows(rows: Floats) -> Labels:
    """Return the number of each sorted row (N, D), from 0 on: equal rows have equal ones."""
    is_new = (rows[1:] != rows[:-1]).any(axis=1)
    return np.concatenate([[0], np.cumsum(is_new)])


def sizes_order(labels: Labels) -> Labels:
    """Return the clusters of labels (N,) without noise: the largest first, of equals the first."""
    found, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort([first, -sizes])
    return found[order][found[order] >= 0]
