"""Fill a RAS+ float32 array slab by slab, and refuse values no method can use."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import EmptyImageError, InputError
from medunsup.core.geometry import Affine
from medunsup.core.volume import ras_affine

Array = NDArray[np.float32]


class SlabWriter:
    """Collects slabs (I, J, n) in the input's axis order into one RAS+ array.

    Memory stays at one float32 array and one slab.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int, int],
        axes: tuple[int, int, int],
        flips: tuple[bool, bool, bool],
    ) -> None:
        self._path = path
        self._axes = axes
        self._flips = flips
        self._data = np.empty([shape[axis] for axis in axes], dtype=np.float32)
        flip = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in flips)
        self._target = self._data[flip].transpose(np.argsort(axes))
        self._next = 0
        self._least = np.inf
        self._most = -np.inf

    def add(self, slab: NDArray[np.generic]) -> None:
        """Append a slab along the third input axis."""
        stop = self._next + slab.shape[2]
        target = self._target[:, :, self._next : stop]
        with np.errstate(over="ignore"):
            target[...] = slab
        self._least = min(self._least, _extreme(np.min(target)))
        self._most = max(self._most, _extreme(np.max(target)))
        if not np.isfinite(target.sum(dtype=np.float64)):
            self._refuse_not_finite(target)
        self._next = stop

    def finish(self, affine: Affine) -> tuple[Array, Affine]:
        """Return the array (I, J, K) in RAS+ order and its affine.

        Raises InputError if all voxels are equal, as EmptyImageError if they are 0.
        """
        advice = "Check the conversion or choose another file."
        if self._least == self._most == 0:
            raise EmptyImageError(f"{self._path}: the image is empty: every voxel is 0. {advice}")
        if self._least == self._most:
            raise InputError(f"{self._path}: the image is constant: every voxel is {self._most:g}. {advice}")
        return self._data, ras_affine(affine, self._data.shape, self._axes, self._flips)

    def _refuse_not_finite(self, target: Array) -> None:
        bad = ~np.isfinite(target)
        first = np.argwhere(bad)[0] + (0, 0, self._next)
        raise InputError(
            f"{self._path}: {int(bad.sum())} voxels or more are NaN or infinite, the first at "
            f"({', '.join(str(int(n)) for n in first)}), slice {int(first[2]) + 1}. "
            "Replace them first, for example with: fslmaths SCAN -nan SCAN_clean"
        )


def _extreme(value: np.float32) -> float:
    return float(value)
