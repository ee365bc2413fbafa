"""Label maps on another grid, each label with the volume it had."""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.geometry import Affine, Grid
from medunsup.preprocess.geometry.resample import bounding_box

NUDGE = 1e-3  # voxels: where two voxels are as near, always the same side is taken
NEAREST_COUNTS = 0.4  # beside the share of a voxel that a label covers; keeps straight borders straight

Box = tuple[slice, slice, slice]
Shares = NDArray[np.float32]


def resampled_labels(labels: NDArray[np.generic], affine: Affine, grid: Grid) -> NDArray[np.generic]:
    """Bring a label map (I, J, K) onto another grid; what lies beyond it is 0.

    The nearest voxel alone makes a lesion of 6 mm on a side 5 or 7 of it, by the parity of its first voxel.
    Here each label gets as many voxels as make its volume, those that it covers most: first all labels
    together, then each within them, the smallest first.
    """
    to_source = np.linalg.inv(affine) @ grid.affine
    nearest = _nearest(labels, to_source, grid.shape)
    out, covered = np.zeros_like(nearest), np.zeros(grid.shape, bool)
    box, shares = _coverage(labels != 0, to_source, grid.shape)
    count = _count_there(labels != 0, to_source, grid.shape)
    covered[box] = _most_covered(count, shares, nearest[box] != 0, np.ones(shares.shape, bool))
    sizes = {value: int((labels == value).sum()) for value in np.unique(labels[labels != 0])}
    best = np.zeros(grid.shape, np.float32)
    for value in sorted(sizes, key=lambda value: sizes[value]):
        box, shares = _coverage(labels == value, to_source, grid.shape)
        is_free = covered[box] & (best[box] < np.inf)
        count = _count_there(labels == value, to_source, grid.shape)
        chosen = _most_covered(count, shares, nearest[box] == value, is_free)
        is_better = is_free & ~chosen & (shares > best[box])
        out[box][chosen | is_better] = value
        best[box] = np.where(chosen, np.inf, np.maximum(best[box], np.where(is_free, shares, 0)))
    return out


def _nearest(
    labels: NDArray[np.generic], to_source: Affine, shape: tuple[int, int, int]
) -> NDArray[np.generic]:
    matrix, offset = to_source[:3, :3], to_source[:3, 3] + NUDGE
    return np.asarray(ndimage.affine_transform(labels, matrix, offset, shape, order=0))


def _coverage(mask: NDArray[np.bool_], to_source: Affine, shape: tuple[int, int, int]) -> tuple[Box, Shares]:
    """Return the share of each voxel of the new grid that the mask covers, in a box around it."""
    box = _box_there(mask, to_source, shape)
    here = bounding_box(mask, (1, 1, 1)) if mask.any() else (slice(0, 1),) * 3
    part = np.pad(mask[here].astype(np.float32), 1)
    start = np.array([one.start for one in here]) - 1
    counts = np.maximum(np.ceil(np.linalg.norm(to_source[:3, :3], axis=0) - 1e-6), 1).astype(int)
    corner = np.array([one.start for one in box])
    size = tuple(one.stop - one.start for one in box)
    total = np.zeros(size, np.float32)
    for place in product(*(range(count) for count in counts)):
        within = (np.array(place) + 0.5) / counts - 0.5
        offset = to_source[:3, :3] @ (corner + within) + to_source[:3, 3] - start
        total += ndimage.affine_transform(part, to_source[:3, :3], offset, size, order=1)
    return box, np.asarray(total / np.prod(counts), dtype=np.float32)


def _box_there(mask: NDArray[np.bool_], to_source: Affine, shape: tuple[int, int, int]) -> Box:
    """Return the box of the new grid that holds all of the mask."""
    if not mask.any():
        return (slice(0, 0),) * 3
    sides = [(part.start - 1, part.stop) for part in bounding_box(mask, (0, 0, 0))]
    corners = np.array([[*corner, 1] for corner in product(*sides)]) @ np.linalg.inv(to_source).T
    low = np.clip(np.floor(corners[:, :3].min(axis=0)).astype(int) - 1, 0, shape)
    high = np.clip(np.ceil(corners[:, :3].max(axis=0)).astype(int) + 2, 0, shape)
    i, j, k = (slice(int(first), int(max(first, last))) for first, last in zip(low, high, strict=True))
    return i, j, k


def _count_there(mask: NDArray[np.bool_], to_source: Affine, shape: tuple[int, int, int]) -> int:
    """Return how many voxels of the new grid have the volume of what of the mask lies within it."""
    there = np.linalg.inv(to_source)
    index = np.argwhere(mask) @ there[:3, :3].T + there[:3, 3]
    is_inside = ((index >= -0.5) & (index < np.array(shape) - 0.5)).all(axis=1)
    return round(float(is_inside.sum() * abs(np.linalg.det(there[:3, :3]))))


def _most_covered(
    count: int, shares: Shares, is_nearest: NDArray[np.bool_], is_free: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Choose so many free voxels, those with the highest share first."""
    order = np.where(is_free & (shares > 0), shares + NEAREST_COUNTS * is_nearest, 0).ravel()
    chosen = order > 1 + NEAREST_COUNTS - NUDGE  # most of a large label, which then need not be sorted
    open_ones = np.flatnonzero((order > 0) & ~chosen)
    left = max(count - int(chosen.sum()), 0)
    chosen[open_ones[np.argsort(-order[open_ones], kind="stable")[:left]]] = True
    return chosen.reshape(shares.shape)
