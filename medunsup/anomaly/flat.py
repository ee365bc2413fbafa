"""Voxels that never vary over healthy scans: saturated, clipped or filled areas that teach nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.training.scan_stack import Array, Mask, Scans

FEWEST_SCANS = 3


@dataclass(frozen=True)
class FlatVoxels:
    """`levels` (C, I, J, K): the value that all healthy scans share at a voxel, NaN where they differ.

    Empty if there is no such voxel.
    """

    levels: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    @classmethod
    def of(cls, scans: Scans) -> Self:
        """Compare healthy scans; at least half of them, and three, must hold a voxel in their mask."""
        low, high = np.full(scans.shape, np.inf), np.full(scans.shape, -np.inf)
        count = np.zeros(scans.shape[1:], int)
        for values, mask in scans:
            low = np.where(mask, np.minimum(low, values), low)
            high = np.where(mask, np.maximum(high, values), high)
            count += mask
        is_flat = (low == high).all(axis=0) & (count >= max(FEWEST_SCANS, len(scans) / 2))
        return cls(np.where(is_flat, low, np.nan).astype(np.float32)) if is_flat.any() else cls()

    def varying(self, values: Array, mask: Mask) -> Mask:
        """Return the mask without voxels at which a scan (C, I, J, K) has the one healthy value."""
        return mask & ~(values == self.levels).all(axis=0) if self.levels.size else mask

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the levels, if there are any."""
        return {"flat": self.levels} if self.levels.size else {}

    @classmethod
    def of_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave."""
        return cls(state["flat"]) if "flat" in state else cls()
