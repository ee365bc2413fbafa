"""Local features: what the neighbourhood of a voxel looks like, and where it lies."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.anomaly.smoothing import smooth_inside
from medunsup.training.scan_stack import Array, Mask

WINDOWS_VOXELS = (1.0, 2.0)

Rows = NDArray[np.float32]


def local_features(values: Array, mask: Mask, at: Mask) -> Rows:
    """Describe the voxels `at` (I, J, K) of a scan (C, I, J, K), one row each, (P, 5 C + 3) float32.

    Of each channel: intensity, and mean and sd in Gaussian windows of 1 and 2 voxels inside the mask. Then
    the place: distance from the grid's middle plane (left and right are alike), second and third axis,
    each from 0 to 1.
    """
    columns = [values[:, at]]
    for sigma in WINDOWS_VOXELS:
        mean = smooth_inside(values, mask, sigma)
        spread = smooth_inside((values - mean) ** 2, mask, sigma)
        columns += [mean[:, at], np.sqrt(spread[:, at])]
    return np.concatenate([*columns, _place(at)]).T.astype(np.float32)


def every(stride: int, mask: Mask) -> Mask:
    """Choose the mask's voxels on a coarser grid; axes of one voxel keep it."""
    chosen = np.zeros_like(mask)
    at = tuple(slice(None, None, stride) for _ in mask.shape)
    chosen[at] = mask[at]
    return chosen


def spread_out(scores: NDArray[np.floating], at: Mask, mask: Mask, stride: int) -> Array:
    """Lay the scores of the voxels `at`, chosen by `every`, on the whole mask; linear in between."""
    known = np.zeros((2, *mask.shape), np.float32)
    known[0, at], known[1, at] = scores, 1
    coarse = known[:, ::stride, ::stride, ::stride]
    scale = [1 / stride] * 3
    total, weight = (
        ndimage.affine_transform(part, scale, output_shape=mask.shape, order=1, mode="nearest")
        for part in coarse
    )
    return np.divide(total, weight, out=np.zeros_like(total), where=mask & (weight > 0))


def _place(at: Mask) -> Rows:
    index = np.argwhere(at).T / np.maximum(np.array(at.shape)[:, None] - 1, 1)
    index[0] = np.abs(2 * index[0] - 1)
    return index
