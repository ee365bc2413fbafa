"""How usual a row is among the rows of a cluster, where a subject has several: each subject counts once.

A subject's own rows are never neighbours of one another, or each would lie beside the next session of itself
and a new subject beside nobody.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from medunsup.clustering.neighbours import CHUNK, MOST_CELLS, NEIGHBOURS

DIGITS = 12  # of p, whose weights of one half or third leave a rounding error

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Calibration:
    """Fitted rows (N, D) of one cluster and their subjects (N,), any numbers that are the same for a subject.

    The score of a row is its mean distance to the 5 nearest subjects other than its own; the distance to a
    subject is the mean over its rows.
    """

    def __init__(self, rows: Floats, subjects: Labels) -> None:
        self.names, numbers, self.counts = np.unique(subjects, return_inverse=True, return_counts=True)
        self.order = np.argsort(numbers, kind="stable")
        self.rows, self.numbers = rows[self.order], numbers[self.order]
        self.starts = np.searchsorted(self.numbers, np.arange(len(self.counts)))
        self.weights = 1 / self.counts[self.numbers]
        self.scores = self.score(self.rows, self.numbers)

    def score(self, rows: Floats, own: Labels | None = None) -> Floats:
        """Return scores (M,); `own` (M,) are the numbers of the subjects to leave out, -1 for none.

        Infinite where no other subject is left.
        """
        k, parts = min(NEIGHBOURS, len(self.counts)), []
        chunk = max(1, min(CHUNK, MOST_CELLS // len(self.rows)))
        for start in range(0, len(rows), chunk):
            distances = cdist(rows[start : start + chunk], self.rows)
            apart = np.add.reduceat(distances, self.starts, axis=1) / self.counts
            if own is not None:
                left_out = own[start : start + chunk]
                here = np.flatnonzero(left_out >= 0)
                apart[here, left_out[here]] = np.inf
            near = np.partition(apart, k - 1, axis=1)[:, :k]
            n = np.isfinite(near).sum(axis=1)
            total = np.where(np.isfinite(near), near, 0.0).sum(axis=1)
            parts.append(np.where(n > 0, total / np.maximum(n, 1), np.inf))
        return np.concatenate(parts)

    def of_new(self, rows: Floats, subjects: Labels | None = None) -> Floats:
        """Return p (M,) of other rows: the share of subjects that score as high, the row itself counted.

        `subjects` (M,) are theirs, where they may have rows in the cluster.
        """
        own = None
        if subjects is not None:
            own = np.searchsorted(self.names, subjects).clip(max=len(self.names) - 1)
            own = np.where(self.names[own] == subjects, own, -1)
        return _rounded((1 + self._as_high(self.score(rows, own))) / (1 + len(self.counts)))

    def of_fitted(self) -> Floats:
        """Return p (N,) of the rows themselves, in the order given; a row's own subject counts as one."""
        as_high = self._as_high(self.scores)
        for start, count in zip(self.starts, self.counts, strict=True):
            own = self.scores[start : start + count]
            as_high[start : start + count] += 1 - (own[:, None] <= own).mean(axis=1)
        found = np.empty(len(self.rows))
        found[self.order] = _rounded(as_high / len(self.counts))
        return found

    def _as_high(self, scores: Floats) -> Floats:
        """Count subjects that score as high; of one with several rows, the share of these that do."""
        order = np.argsort(self.scores, kind="stable")
        from_here = np.append(np.cumsum(self.weights[order][::-1])[::-1], 0.0)
        found: Floats = from_here[np.searchsorted(self.scores[order], scores, side="left")]
        return found


def _rounded(p: Floats) -> Floats:
    return np.minimum(1.0, np.round(p, DIGITS))
