"""What a reconstruction leaves over."""

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.base import Reconstructs
from medunsup.training.scan_stack import Array, Mask


def residual(model: Reconstructs, values: Array, mask: Mask) -> Array:
    """Scan minus reconstruction (C, I, J, K), 0 outside the mask; positive where the scan is brighter."""
    return (values - model.reconstruct(values, mask)) * mask


def over_channels(maps: NDArray[np.floating], mask: Mask) -> Array:
    """Mean over channels: (C, I, J, K) to (I, J, K) float32, 0 outside the mask."""
    return (maps.mean(axis=0) * mask).astype(np.float32)
