"""Tell label maps, masks and maps of shares from scans, by their values: names are not to be trusted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_ALIKE = 0.5
FEWEST_GREYS = 6
DIFFERING_PER_VALUE = 0.03
LEAST_OF_EACH_VALUE = 0.3
LEAST_WHOLE = 0.2
SAMPLE_STEP = 3


def label_map_values(data: NDArray[Any]) -> int:
    """Count the values of a label map or mask (I, J, K), its background too; 0 for a scan.

    A label map is constant within its regions, so that neighbours inside it are mostly exactly alike, and so
    are those of nearly each value. Its ids may be many, and need not follow one another. A scan stored with
    few grey values (8 in the brain) has such neighbours too, but the fewer the more values it has: of scans
    rounded to q values, 1 / (1 + 0.045 q) of the neighbours were alike at most. A noise-free simulated scan
    has values of shared voxels, few of whose neighbours are alike.
    """
    if _share_alike(data) < LEAST_ALIKE:
        return 0
    alike, counts = _alike_by_value(data)
    n, share = len(counts), float(np.average(alike, weights=counts))
    is_coarse_scan = n >= FEWEST_GREYS and (1 - share) > DIFFERING_PER_VALUE * n * share
    return 0 if is_coarse_scan or alike.mean() < LEAST_OF_EACH_VALUE else n + 1


def what_it_is(data: NDArray[Any]) -> str:
    """Name what an image is that is no scan: "a label map (4 values)", "a mask", ...; nothing for a scan."""
    n_values = label_map_values(data)
    if n_values:
        return "a mask (2 values)" if n_values == 2 else f"a label map ({n_values} values)"
    return "a map of shares, as a probability map is (0 to 1, much of it 1)" if is_share_map(data) else ""


def is_share_map(data: NDArray[Any]) -> bool:
    """Whether an image holds shares, as a probability map does: from 0 to 1, and much of it exactly 1."""
    if not (data.min() >= 0 and np.isclose(data.max(), 1)):
        return False
    inside = np.count_nonzero(data)
    return bool(np.count_nonzero(np.isclose(data, 1)) >= LEAST_WHOLE * inside)


def _background(data: NDArray[Any]) -> Any:
    """Return the most frequent value, of every third voxel along each axis."""
    values, counts = np.unique(data[::SAMPLE_STEP, ::SAMPLE_STEP, ::SAMPLE_STEP], return_counts=True)
    return values[counts.argmax()]


def _share_alike(data: NDArray[Any]) -> float:
    """Return the share of neighbours outside the background that are exactly alike."""
    inside = data != _background(data)
    n_alike = n_pairs = 0
    for first, second in _neighbours(data.ndim):
        both = inside[first] & inside[second]
        n_pairs += int(np.count_nonzero(both))
        n_alike += int(np.count_nonzero(both & (data[first] == data[second])))
    return n_alike / max(n_pairs, 1)


def _alike_by_value(data: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each value but the background how many of its neighbours are alike, and its neighbours."""
    inside = data != _background(data)
    values, index = np.unique(data[inside], return_inverse=True)
    which = np.full(data.shape, -1, dtype=np.int32)
    which[inside] = index
    n_alike = np.zeros(len(values))
    n_pairs = np.zeros(len(values))
    for first, second in _neighbours(data.ndim):
        both = inside[first] & inside[second]
        one, other = which[first][both], which[second][both]
        n_alike += 2 * np.bincount(one[one == other], minlength=len(values))
        n_pairs += np.bincount(one, minlength=len(values)) + np.bincount(other, minlength=len(values))
    return n_alike / np.maximum(n_pairs, 1), n_pairs


def _neighbours(n_axes: int) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Slices that lay each voxel beside the next one along each axis."""
    whole = [slice(None)] * n_axes
    pairs = []
    for axis in range(n_axes):
        first, second = whole.copy(), whole.copy()
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        pairs.append((tuple(first), tuple(second)))
    return pairs
