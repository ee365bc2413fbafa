"""Gaussian smoothing that lets nothing in from outside the mask."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.training.scan_stack import Mask

Floating = TypeVar("Floating", bound=np.floating)


def smooth_inside(
    maps: NDArray[Floating], mask: Mask, sigma: float, *, truncate: float = 4.0
) -> NDArray[Floating]:
    """Smooth the last three axes with a Gaussian of `sigma` voxels, each voxel by its neighbours in the mask.

    `maps` is (..., I, J, K), `mask` (I, J, K). The result has the maps' floating type and is 0 outside
    the mask. Normalised convolution (Knutsson and Westin, 1993). Axes of one voxel are left alone.
    """
    inside = mask.astype(maps.dtype)
    if sigma == 0:
        return maps * inside
    widths = [sigma if size > 1 else 0.0 for size in mask.shape]
    weight = ndimage.gaussian_filter(inside, widths, mode="constant", truncate=truncate)
    leading = [0.0] * (maps.ndim - 3)
    total = ndimage.gaussian_filter(maps * inside, leading + widths, mode="constant", truncate=truncate)
    return np.divide(total, weight, out=np.zeros_like(total), where=np.broadcast_to(mask, total.shape))
