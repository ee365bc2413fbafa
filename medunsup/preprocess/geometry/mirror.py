"""Maps flipped left to right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mirrored(maps: NDArray[Any], middle: int) -> NDArray[Any]:
    """Flip maps (..., I, J, K) left to right; 0 comes in at the edge.

    The first axis of the grid runs from left to right; `middle` is the sum of the indices of a voxel and
    its mirror image along it, as `ModelSpace.middle`.
    """
    source = middle - np.arange(maps.shape[-3])
    is_inside = (source >= 0) & (source < source.size)
    flipped = np.zeros_like(maps)
    flipped[..., is_inside, :, :] = maps[..., source[is_inside], :, :]
    return flipped
