"""Mean and standard deviation of healthy maps, voxel by voxel, over the scans that cover the voxel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.anomaly.smoothing import smooth_inside
from medunsup.core.config import Config
from medunsup.core.errors import InputError
from medunsup.training.scan_stack import Array, Mask

SMALLEST_SD = 1e-6  # intensities lie about in [0, 1]; keeps a voxel that never varies from dividing by 0
FEWEST_SCANS = 2


class VoxelwiseConfig(Config):
    """Parameters of a voxel-wise standard deviation."""

    smoothing: float = Field(1.0, ge=0, le=10, description="Gaussian over the variance, sd in voxels")
    floor: float = Field(0.25, ge=0, le=1, description="least sd of a voxel, as a share of the median sd")


@dataclass(frozen=True)
class VoxelStatistics:
    """`mean` and `sd` (C, I, J, K) float32; `seen` (I, J, K) bool: voxels that at least two scans cover."""

    mean: Array
    sd: Array
    seen: Mask

    @classmethod
    def of(cls, maps: Iterable[tuple[Array, Mask]], config: VoxelwiseConfig) -> Self:
        """Gather maps (C, I, J, K) with their masks (I, J, K), one scan at a time.

        Raises InputError if no voxel is covered twice.
        """
        count, mean, squares = _moments(maps)
        seen = count >= FEWEST_SCANS
        if not seen.any():
            raise InputError(
                "A mean and a spread need at least two scans that overlap; give more healthy scans."
            )
        variance = np.where(seen, squares / np.maximum(count - 1, 1), 0)
        sd = np.sqrt(smooth_inside(variance, seen, config.smoothing))
        least = max(SMALLEST_SD, config.floor * float(np.median(sd[:, seen])))
        sd = np.where(seen, np.maximum(sd, least), 0)
        return cls(np.where(seen, mean, 0).astype(np.float32), sd.astype(np.float32), seen)

    def z(self, maps: Array, mask: Mask) -> Array:
        """Signed deviation (C, I, J, K) in healthy sd; 0 outside the mask and where unseen."""
        known = np.broadcast_to(mask & self.seen, maps.shape)
        return np.divide(maps - self.mean, self.sd, out=np.zeros(maps.shape, np.float32), where=known)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the three arrays by name."""
        return {"mean": self.mean, "sd": self.sd, "seen": self.seen}

    @classmethod
    def of_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave."""
        return cls(state["mean"], state["sd"], state["seen"].astype(bool))


def _moments(
    maps: Iterable[tuple[Array, Mask]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count, mean and summed squared deviation in one pass (Welford, 1962)."""
    count, mean, squares = np.zeros(1), np.zeros(1), np.zeros(1)
    for values, mask in maps:
        count = count + mask
        change = np.where(mask, values - mean, 0)
        mean = mean + change / np.maximum(count, 1)
        squares = squares + change * np.where(mask, values - mean, 0)
    return count, mean, squares
