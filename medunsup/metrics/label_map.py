"""Tell label maps, masks and maps of shares from scans, by their values: names are not to be trusted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_ALIKE = 0.5
LEAST_OF_SLICES, SLICES_PERCENT, LEAST_OF_USUAL = 0.35, 10, 0.2
LEAST_OF_EACH_VALUE = 0.3
FEWEST_GREYS, DIFFERING_PER_VALUE = 6, 0.03
ORDERED_GREYS, MOST_STEPS = 12, 0.45
LEAST_WHOLE = 0.2
PARTIAL = 0.05, 0.95
LEAST_BETWEEN = 0.2
ALMOST_NONE = 1e-3  # as the tails of a fit leave everywhere
SAMPLE_STEP = 3
LARGEST_SHARE = 2.0  # resampling with splines overshoots 1
MOST_LABELS = 512

Slices = tuple[slice, ...]


def label_map_values(data: NDArray[Any]) -> int:
    """Count the values of a label map or mask (I, J, K), its background too; 0 for a scan.

    A label map is constant within its regions, so that neighbours inside it are mostly exactly alike, and so
    are those of nearly each value. Its ids may be many, and need not follow one another. What is alike in
    scans for other reasons is told apart:

    - few grey values (8 in the brain): the fewer neighbours are alike, the more values there are (in scans
      rounded to q values 1 / (1 + 0.045 q) at most), and of 12 or more the next one is usually beside it;
    - voxels repeated to a finer grid: between some slices hardly any are alike;
    - no noise, simulated: the values of partial volume have few neighbours that are alike;
    - a second constant around the head: one value of very many.
    """
    share, share_of_slices = _share_alike(data)
    if share < LEAST_ALIKE or share_of_slices < LEAST_OF_SLICES:
        return 0
    alike, steps = _by_value(data)
    n = len(alike)
    has_few_greys = n >= FEWEST_GREYS and (1 - share) > DIFFERING_PER_VALUE * n * share
    is_ordered = n >= ORDERED_GREYS and steps.mean() > MOST_STEPS
    return 0 if has_few_greys or is_ordered or alike.mean() < LEAST_OF_EACH_VALUE else n + 1


def what_it_is(data: NDArray[Any]) -> str:
    """Name what an image is that is no scan: "a label map (4 values)", "a mask", ...; nothing for a scan."""
    n_values = label_map_values(data)
    if n_values:
        return "a mask (2 values)" if n_values == 2 else f"a label map ({n_values} values)"
    return "a map of shares, as a probability map is (0 to 1, much of it 1)" if is_share_map(data) else ""


def is_share_map(data: NDArray[Any]) -> bool:
    """Whether an image holds shares, as a probability map does: from 0 to 1, and much of it exactly 1.

    A scan scaled to 1 and clipped there holds much of it as well. But the partial shares of a map are the
    edges of its regions, one voxel wide, so that many lie right between 0 and 1 (of FAST's maps 26 to 32 %);
    in a scan they are tissue (0 to 16 %, up to where 9 voxels in 10 are clipped and nothing is left to see).
    """
    if not (data.min() >= 0 and np.isclose(data.max(), 1)):
        return False
    is_whole, is_none = np.isclose(data, 1), data <= ALMOST_NONE
    if np.count_nonzero(is_whole) < LEAST_WHOLE * (data.size - np.count_nonzero(is_none)):
        return False
    is_partial = (data > PARTIAL[0]) & (data < PARTIAL[1])
    between = is_partial & _beside(is_whole) & _beside(is_none)
    return bool(np.count_nonzero(between) >= LEAST_BETWEEN * np.count_nonzero(is_partial))


def is_grey(data: NDArray[Any]) -> bool:
    """Whether an image given as a mask holds grey values, as a scan does; shares may be anything.

    Unlike `label_map_values` this asks for no sharp labels: the edge of a mask may have been smoothed.
    """
    return bool(data.max() > LARGEST_SHARE and _share_alike(data)[0] < LEAST_ALIKE)


def may_be_labels(data: NDArray[np.generic]) -> bool:
    """Whether an array holds whole numbers, and few of them: enough where it is named as labels."""
    values = np.unique(data)
    return values.size <= MOST_LABELS and bool(
        np.isfinite(values).all() and (values == np.round(values)).all()
    )


def _background(data: NDArray[Any]) -> Any:
    """Return the most frequent value, of every third voxel along each axis."""
    values, counts = np.unique(data[::SAMPLE_STEP, ::SAMPLE_STEP, ::SAMPLE_STEP], return_counts=True)
    return values[counts.argmax()]


def _share_alike(data: NDArray[Any]) -> tuple[float, float]:
    """Return the share of neighbours outside the background that are alike: of all, and of the least slices.

    The latter is what nine tenths of the pairs of slices exceed, those with little in them left out.
    """
    inside = data != _background(data)
    n_alike = n_pairs = 0
    of_slices = []
    for axis, (first, second) in enumerate(_neighbours(data.ndim)):
        both = inside[first] & inside[second]
        others = tuple(each for each in range(data.ndim) if each != axis)
        pairs = both.sum(axis=others)
        alike = (both & (data[first] == data[second])).sum(axis=others)
        n_pairs, n_alike = n_pairs + int(pairs.sum()), n_alike + int(alike.sum())
        filled = pairs > LEAST_OF_USUAL * pairs.mean() if pairs.size else pairs > 0
        if filled.any():
            of_slices.append(np.percentile(alike[filled] / pairs[filled], SLICES_PERCENT))
    return n_alike / n_pairs if n_pairs else 1.0, float(np.mean(of_slices)) if of_slices else 0.0


def _by_value(data: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each value but the background the share of its neighbours that are alike.

    And of those that are not, the share that has the next value, up or down.
    """
    inside = data != _background(data)
    values, index = np.unique(data[inside], return_inverse=True)
    which = np.full(data.shape, -1, dtype=np.int32)
    which[inside] = index
    n_pairs, n_alike, n_steps = np.zeros((3, len(values)))
    for first, second in _neighbours(data.ndim):
        both = inside[first] & inside[second]
        pair = which[first][both], which[second][both]
        distance = np.abs(pair[0] - pair[1])
        for of in pair:
            n_pairs += np.bincount(of, minlength=len(values))
            n_alike += np.bincount(of[distance == 0], minlength=len(values))
            n_steps += np.bincount(of[distance == 1], minlength=len(values))
    return n_alike / np.maximum(n_pairs, 1), n_steps / np.maximum(n_pairs - n_alike, 1)


def _beside(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels that have a marked one beside them along some axis."""
    beside = np.zeros_like(marked)
    for first, second in _neighbours(marked.ndim):
        beside[first] |= marked[second]
        beside[second] |= marked[first]
    return beside


def _neighbours(n_axes: int) -> list[tuple[Slices, Slices]]:
    """Slices that lay each voxel beside the next one along each axis."""
    whole = [slice(None)] * n_axes
    pairs = []
    for axis in range(n_axes):
        first, second = whole.copy(), whole.copy()
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        pairs.append((tuple(first), tuple(second)))
    return pairs
