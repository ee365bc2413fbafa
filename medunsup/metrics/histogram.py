"""The scores of any number of scans in constant memory, fine enough for their tails."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

KEPT_BITS = 18
N_BINS = 2**KEPT_BITS
_SIGN = np.uint32(1 << 31)


class ScoreHistogram:
    """Counts of float32 scores in 2^18 bins, each as wide as 2^-9 of the scores in it (0.2 %).

    A bin holds all float32 numbers whose leading 18 bits agree, so any score has its bin and none must
    be known beforehand. Counts at and above the lower edge of a bin are exact.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(N_BINS, dtype=np.int64)

    def add(self, scores: NDArray[np.floating]) -> Self:
        """Count more scores, of any shape."""
        self.counts += np.bincount(_key(scores), minlength=N_BINS)
        return self

    @property
    def total(self) -> int:
        """How many scores were counted."""
        return int(self.counts.sum())

    def tail(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Lower edges of all filled bins, from the highest down, and how many scores lie at or above each."""
        filled = np.flatnonzero(self.counts)[::-1]
        return _edge(filled), np.cumsum(self.counts[filled])

    def thresholds(self, shares: NDArray[np.floating]) -> NDArray[np.float32]:
        """For each share in [0, 1], return a threshold that at most this share of the scores exceeds.

        It lies at most one bin above the lowest such threshold.
        """
        filled = np.flatnonzero(self.counts)
        above = self.total - np.cumsum(self.counts[filled])
        allowed = np.asarray(shares, dtype=np.float64) * self.total
        position = np.searchsorted(-above, -allowed, side="left")
        return _edge(filled[position] + 1)


def _key(scores: NDArray[np.floating]) -> NDArray[np.uint32]:
    """Leading bits of each score, reordered so that a larger score never has a smaller key."""
    bits = (np.asarray(scores, dtype=np.float32).ravel() + np.float32(0)).view(np.uint32)
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return np.asarray(ordered >> np.uint32(32 - KEPT_BITS))


def _edge(key: NDArray[np.integer]) -> NDArray[np.float32]:
    """Lowest score of each bin."""
    ordered = key.astype(np.uint32) << np.uint32(32 - KEPT_BITS)
    bits = np.where(ordered & _SIGN, ordered ^ _SIGN, ~ordered)
    return np.asarray(bits, dtype=np.uint32).view(np.float32)
