"""Left and right of a grid swapped."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mirrored(maps: NDArray[Any], middle: int) -> NDArray[Any]:
    """Swap left and right of maps (..., I, J, K); 0 comes in at the edge.

    The first axis of the grid runs from left to right; `middle` is the sum of the indices of a voxel and
    its mirror image along it, as `ModelSpace.middle`.
    """
    source = middle - np.arange(maps.shape[-3])
    is_inside = (source >= 0) & (source < source.size)
    swapped = np.zeros_like(maps)
    swapped[..., is_inside, :, :] = maps[..., source[is_inside], :, :]
    return swapped
