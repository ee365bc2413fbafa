"""Which scans of a group stand out, measured against the group's own middle and spread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ENOUGH = 5
MAD_TO_SD = 1.4826
# Limits on |z| that one normal value in 500 passes, by group size, found by simulation: the usual 3.5
# (Iglewicz and Hoaglin, 1993) would call one normal value in 20 an outlier in a group of five.
GROUP_SIZES = (5, 6, 8, 10, 15, 20, 30, 50)
LIMITS = (20.0, 9.7, 7.2, 6.2, 5.0, 4.3, 3.9, 3.5)


@dataclass(frozen=True)
class Deviation:
    """One measure of one scan that stands out: its value, the group's median, and the robust z."""

    measure: str
    value: float
    median: float
    z: float


def robust_z(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the median in units of the scaled median absolute deviation, (N,).

    NaN where a value is NaN, and everywhere if fewer than `ENOUGH` are there or half of them are equal.
    """
    known = values[np.isfinite(values)]
    if known.size < ENOUGH:
        return np.full(values.shape, np.nan)
    middle = np.median(known)
    spread = MAD_TO_SD * np.median(abs(known - middle))
    if spread <= 1e-9 * max(1e-12, abs(middle)):
        return np.full(values.shape, np.nan)
    return np.asarray((values - middle) / spread)


def limit(group_size: int) -> float:
    """Return |z| beyond which a value stands out in a group of this size."""
    return float(np.interp(group_size, GROUP_SIZES, LIMITS))


def deviations(measures: dict[str, NDArray[np.float64]]) -> list[list[Deviation]]:
    """For each scan, the measures that stand out, the farthest first.

    `measures` holds one value a scan, NaN where it is not known.
    """
    count = len(next(iter(measures.values()), ()))
    found: list[list[Deviation]] = [[] for _ in range(count)]
    for name, values in measures.items():
        z = robust_z(values)
        known = np.isfinite(values)
        for scan in np.flatnonzero(np.abs(z) > limit(int(known.sum()))):
            middle = float(np.median(values[known]))
            found[scan].append(Deviation(name, float(values[scan]), middle, float(z[scan])))
    return [sorted(each, key=lambda item: -abs(item.z)) for each in found]
