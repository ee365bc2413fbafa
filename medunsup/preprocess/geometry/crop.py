"""Work on the part of a scan that holds the brain, and put results back on the whole grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import StepError
from medunsup.core.hints import option
from medunsup.core.volume import Volume

MARGIN_VOXELS = 2


@dataclass(frozen=True)
class Box:
    """A block of voxels of a larger grid of shape `full`."""

    slices: tuple[slice, slice, slice]
    full: tuple[int, int, int]

    @property
    def origin(self) -> tuple[int, int, int]:
        """The voxel of the whole grid where the block begins."""
        i, j, k = (part.start for part in self.slices)
        return i, j, k

    @classmethod
    def around(
        cls,
        mask: NDArray[np.bool_],
        margin: int = MARGIN_VOXELS,
        *,
        within: Sequence[tuple[int, int]] | None = None,
    ) -> "Box":
        """Find the smallest block that holds the mask, with a margin where there is room.

        Room is the whole grid, or what lies `within` the planes given for each axis, first and last + 1.

        Raises StepError if the mask is empty.
        """
        from medunsup.preprocess.geometry.resample import bounding_box

        if not mask.any():
            raise StepError(f"The brain mask is empty. Give a mask with {option('mask')}.")
        whole = bounding_box(mask, (margin, margin, margin))
        if within is None:
            return cls(whole, mask.shape)
        tight = bounding_box(mask, (0, 0, 0))
        i, j, k = (
            slice(min(max(wide.start, low), own.start), max(min(wide.stop, high), own.stop))
            for wide, own, (low, high) in zip(whole, tight, within, strict=True)
        )
        return cls((i, j, k), mask.shape)

    def take(self, volume: Volume) -> Volume:
        """Cut the block out, without copying, as a volume at its own place in the world and of no source."""
        from medunsup.preprocess.geometry.resample import crop

        return crop(volume, self.slices)

    def put_back(self, block: NDArray[Any]) -> NDArray[Any]:
        """Lay the block on the whole grid, 0 elsewhere."""
        whole = np.zeros(self.full, dtype=block.dtype)
        whole[self.slices] = block
        return whole

    def extend(self, block: NDArray[Any]) -> NDArray[Any]:
        """Lay the block on the whole grid, continued outwards by its own border values."""
        sizes = zip(self.slices, self.full, strict=True)
        return np.pad(block, [(part.start, size - part.stop) for part, size in sizes], mode="edge")
