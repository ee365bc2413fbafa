"""Robust intensity scaling: tails clipped, the brain's spread brought to 1."""

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError

TAILS_PERCENT = (0.1, 99.9)
# In T1w nothing of the brain is brighter than white matter, whose own spread the 95th percentile tells: what
# lies further above the median than this many times its distance is lesion, vessel or spike.
FENCES = {"T1w": 1.3}
FENCE_PERCENT = (50, 95)


def winsorize_and_scale(
    data: NDArray[np.float32],
    mask: NDArray[np.bool_],
    *,
    tails_percent: tuple[float, float] = TAILS_PERCENT,
    fence: float | None = None,
) -> NDArray[np.float32]:
    """Clip to percentiles inside the mask, then scale so that they become 0 and 1.

    `data` and `mask` are (I, J, K); the result is float32 in [0, 1], clipped outside the mask too. Any
    scale and offset of the input give the same result. With `fence` 1 lies no further above the median
    than `fence` times the distance of the 95th percentile; what is brighter stays above 1.

    Raises InputError if the mask is empty or the intensities inside it are constant.
    """
    if not mask.any():
        raise InputError("The brain mask is empty, so intensities cannot be scaled. Give another mask.")
    low, high, median, upper = np.percentile(data[mask], (*tails_percent, *FENCE_PERCENT))
    top = high if fence is None else min(high, median + fence * (upper - median))
    if not top > low:
        raise InputError(f"All intensities inside the mask are {low:g}; there is nothing to segment.")
    scaled = np.clip(data, low, high).astype(np.float32, copy=False)
    scaled -= np.float32(low)
    scaled /= np.float32(top - low)
    return scaled
