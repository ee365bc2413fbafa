"""Whether numbers have one peak: the dip of Hartigan and Hartigan, and how probable it is."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
FEWEST = 8  # fewer numbers say nothing
# Quantiles of dip times root of N of even numbers, the single peak that is hardest to tell from two: from
# 12,000 draws of 8 and of 20 numbers, 8,000 of 60, 3,000 of 200.
LEVELS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
QUANTILES = {
    8: (0.177, 0.232, 0.272, 0.314, 0.348, 0.405, 0.438, 0.474, 0.491, 0.507, 0.557),
    20: (0.17, 0.255, 0.287, 0.327, 0.383, 0.437, 0.472, 0.514, 0.544, 0.565, 0.627),
    60: (0.179, 0.268, 0.303, 0.348, 0.403, 0.462, 0.499, 0.545, 0.578, 0.61, 0.662),
    200: (0.192, 0.277, 0.311, 0.362, 0.422, 0.48, 0.523, 0.569, 0.604, 0.624, 0.665),
}


def dip(values: ArrayLike) -> float:
    """Return how far the distribution of numbers (N,) is from the nearest one with a single peak.

    Hartigan and Hartigan, The dip test of unimodality, Annals of Statistics 1985. In [1 / (2 N), 0.25]: the
    largest distance between the two cumulative distributions.
    """
    x, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    above = np.cumsum(counts) / counts.sum()
    below = above - counts / counts.sum()
    low, high, found = 0, len(x) - 1, 1 / float(counts.sum())
    while high > low:
        part = slice(low, high + 1)
        convex_at, concave_at = _hull(x[part], below[part]), _hull(x[part], -above[part])
        convex = np.interp(x[part], x[part][convex_at], below[part][convex_at])
        concave = np.interp(x[part], x[part][concave_at], above[part][concave_at])
        gap = concave - convex
        left, right = convex_at[gap[convex_at].argmax()], concave_at[gap[concave_at].argmax()]
        widest = max(gap[left], gap[right])
        if gap[left] > gap[right]:
            right = concave_at[concave_at >= left][0]
        else:
            left = convex_at[convex_at <= right][-1]
        if widest <= found:
            break
        apart = (above[part] - convex)[: left + 1].max(), (concave - below[part])[right:].max()
        found = max(found, *apart)
        if (left, right) == (0, high - low):
            break
        low, high = low + left, low + right
    return found / 2


def dip_p(values: ArrayLike) -> float:
    """Return the chance of such a dip where numbers (N,) have one peak, at most: in [0.001, 1].

    1 for fewer than 8 numbers, which say nothing.
    """
    x = np.asarray(values, np.float64)
    if len(x) < FEWEST:
        return 1.0
    sizes, table = np.log(list(QUANTILES)), np.array(list(QUANTILES.values()))
    quantiles = [np.interp(np.log(len(x)), sizes, column) for column in table.T]
    return float(1 - np.interp(dip(x) * np.sqrt(len(x)), quantiles, LEVELS))


def _hull(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Return where the greatest convex minorant of the points touches them."""
    kept: list[int] = []
    for point in range(len(x)):
        while len(kept) > 1 and _is_above(x, y, kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return np.array(kept)


def _is_above(x: Floats, y: Floats, first: int, middle: int, last: int) -> bool:
    rise = (y[last] - y[first]) * (x[middle] - x[first])
    return bool((y[middle] - y[first]) * (x[last] - x[first]) >= rise)
