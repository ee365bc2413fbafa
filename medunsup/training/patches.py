"""Random patches of scans, flat or three-dimensional."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError, UsageError
from medunsup.training.datasets import Dataset, Draws, Masks, Positions, Values


class Patches(Dataset):
    """Patches of `size` (I, J) from axial slices, or (I, J, K); `per_scan` of each scan in an epoch.

    With probability `inside` a patch lies around a voxel of the mask, each as likely as another: in its
    middle, or as near as the scan's edge allows. Else all places in the scan are as likely. Where it lies
    follows from the seed, the epoch and its place in the epoch.

    Raises InputError if the scans are smaller than a patch, UsageError for a size of other axes.
    """

    def __init__(
        self,
        values: Values,
        masks: Masks,
        names: Sequence[str] = (),
        *,
        size: Sequence[int],
        per_scan: int = 8,
        inside: float = 1.0,
        **more: Any,
    ) -> None:
        if len(size) not in (2, 3) or min(size) < 1 or per_scan < 1 or not 0 <= inside <= 1:
            raise UsageError(
                f"A patch is size=(I, J) or (I, J, K), with per_scan of at least 1 and inside from 0 to 1; "
                f"got {tuple(size)}, {per_scan} and {inside}."
            )
        if any(wanted > side for wanted, side in zip(size, masks.shape[1:], strict=False)):
            raise InputError(f"Patches of {tuple(size)} voxels do not fit into scans of {masks.shape[1:]}.")
        self.size, self.per_scan, self.inside = tuple(size), per_scan, inside
        super().__init__(values, masks, names, **more)

    def corners(self, items: Positions, draws: Draws) -> NDArray[np.intp]:
        """First voxel (B, 3) of each patch."""
        rngs = [np.random.default_rng(draws.of(n)) for n in range(len(items))]
        pairs = zip(self.scans[items], rngs, strict=True)
        return np.array([self._corner(int(scan), rng) for scan, rng in pairs], dtype=np.intp)

    def digest(self) -> str:
        """Checksum of the scans, and how patches are taken from them."""
        return f"{super().digest()}, {self.per_scan} patches of {self.size}, inside {self.inside}"

    def _scans(self) -> Positions:
        """Repeat each scan; counts mask voxels by the first axis, along which they lie together on disk."""
        self._counts = np.stack([np.count_nonzero(mask, axis=(1, 2)) for mask in self.masks])
        return np.repeat(np.flatnonzero(self._counts.any(axis=1)), self.per_scan)

    def _gather(self, items: Positions, draws: Draws) -> tuple[Values, Masks]:
        values, masks = [], []
        for scan, corner in zip(self.scans[items], self.corners(items, draws), strict=True):
            box = [slice(at, at + side) for at, side in zip(corner, self._sides, strict=True)]
            where = (*box[:2], corner[2]) if len(self.size) == 2 else tuple(box)
            values.append(self.values[(scan, slice(None), *where)])
            masks.append(self.masks[(scan, *where)])
        return np.stack(values), np.stack(masks)

    @property
    def _sides(self) -> tuple[int, ...]:
        return (*self.size, 1)[:3]

    def _corner(self, scan: int, rng: np.random.Generator) -> NDArray[np.intp]:
        room = np.subtract(self.masks.shape[1:], self._sides)
        if rng.random() >= self.inside:
            return rng.integers(0, room + 1)
        return np.clip(self._mask_voxel(scan, rng) - np.floor_divide(self._sides, 2), 0, room)

    def _mask_voxel(self, scan: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Choose a voxel of the mask, each as likely, reading only the plane it lies in."""
        ends = np.cumsum(self._counts[scan])
        number = rng.integers(ends[-1])
        i = int(np.searchsorted(ends, number, side="right"))
        before = ends[i] - self._counts[scan, i]
        at = np.flatnonzero(self.masks[scan, i])[number - before]
        return np.array([i, *np.unravel_index(at, self.masks.shape[2:])], dtype=np.intp)
