"""Scans as the loop sees them: slices or volumes, in an order that follows from the seed and the epoch."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from medunsup.core.errors import InputError
from medunsup.training.learner import Batch

SMALLEST_SHARE = 0.02
ORDER = 0

Positions = NDArray[np.intp]
Transform = Callable[[dict[str, Any]], dict[str, Any]]


class View(ABC):
    """Items that batches are made of; each belongs to one scan.

    `values` are (N, C, I, J, K) float32 and `masks` (N, I, J, K) bool, in memory or mapped from disk.
    A `transform` (any MONAI dictionary transform with the keys "values" and "mask") changes each item as it
    is taken; one that draws at random is seeded by the batch, so that a resumed run draws the same.
    """

    def __init__(
        self,
        values: NDArray[np.float32],
        masks: NDArray[np.bool_],
        names: Sequence[str] = (),
        *,
        transform: Transform | None = None,
    ) -> None:
        self.values = values
        self.masks = masks
        self.names = tuple(names) or tuple(str(n) for n in range(len(values)))
        self.transform = transform
        self.scans = self._scans()
        if not len(self.scans):
            raise InputError("No scan has anything inside its mask: there is nothing to train on.")

    def __len__(self) -> int:
        return len(self.scans)

    def __getstate__(self) -> dict[str, Any]:
        """Send arrays mapped from disk to another process by the name of their file."""
        return {name: _Mapped.of(value) for name, value in vars(self).items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value.open() if isinstance(value, _Mapped) else value)

    @abstractmethod
    def _scans(self) -> Positions:
        """Whose each item is: positions of scans, sorted."""

    @abstractmethod
    def _gather(self, items: Positions) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Take values (B, C, ...) and masks (B, ...) in one piece."""

    def order(self, seed: int, epoch: int) -> Positions:
        """Items of one epoch: the same number of each scan, one of each scan in turn.

        That number is the mean over scans; a scan with more gives others in other epochs, a scan with fewer
        gives some twice.
        """
        rng = np.random.default_rng((seed, ORDER, epoch))
        first, counts = self._first_and_counts()
        each = max(1, round(len(self) / len(counts)))
        rounds = np.empty((each, len(counts)), np.intp)
        for n, (start, count) in enumerate(zip(first, counts, strict=True)):
            rounds[:, n] = start + np.resize(rng.permutation(count), each)
        return rng.permuted(rounds, axis=1).ravel()

    def batch(self, items: Positions, seed: int = 0) -> Batch:
        """Gather items; `seed` is for a transform that draws at random."""
        values, masks = (torch.from_numpy(array) for array in self._gather(items))
        if self.transform is not None:
            values, masks = self._transformed(values, masks, seed)
        return Batch(values, masks[:, None], torch.from_numpy(self.scans[items]))

    def names_of(self, items: Positions) -> list[str]:
        """Names of the scans that items come from, each once."""
        return [self.names[n] for n in np.unique(self.scans[items])]

    def digest(self) -> str:
        """Checksum of names, values and masks, to know the same data again."""
        total = zlib.crc32("\n".join(self.names).encode())
        for values, mask in zip(self.values, self.masks, strict=True):
            for array in (values, mask):
                total = zlib.crc32(np.ascontiguousarray(array).data, total)
        return f"{len(self.names)} scans, checksum {total:08x}"

    def _first_and_counts(self) -> tuple[Positions, Positions]:
        _, first, counts = np.unique(self.scans, return_index=True, return_counts=True)
        return first, counts

    def _transformed(
        self, values: torch.Tensor, masks: torch.Tensor, seed: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        change: Any = self.transform
        if hasattr(change, "set_random_state"):
            change.set_random_state(seed=seed % 2**32)
        done = [change({"values": x, "mask": m[None]}) for x, m in zip(values, masks, strict=True)]
        new_values, new_masks = ([torch.as_tensor(item[key]) for item in done] for key in ("values", "mask"))
        return torch.stack(new_values).float(), torch.stack(new_masks)[:, 0].bool()


class Slices(View):
    """Axial slices (C, I, J) of which at least 2 % lie inside the mask."""

    def _scans(self) -> Positions:
        least = SMALLEST_SHARE * self.masks.shape[1] * self.masks.shape[2]
        counts = np.stack([np.count_nonzero(mask, axis=(0, 1)) for mask in self.masks])
        scans, self._levels = np.nonzero(counts >= max(1, least))
        return scans

    def _gather(self, items: Positions) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        scans, levels = self.scans[items], self._levels[items]
        values = np.moveaxis(self.values, 4, 1)[scans, levels]
        masks = np.moveaxis(self.masks, 3, 1)[scans, levels]
        return np.ascontiguousarray(values), np.ascontiguousarray(masks)


class Volumes(View):
    """Whole volumes (C, I, J, K)."""

    def _scans(self) -> Positions:
        return np.array([n for n, mask in enumerate(self.masks) if mask.any()], dtype=np.intp)

    def _gather(self, items: Positions) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        scans = self.scans[items]
        return np.asarray(self.values[scans]), np.asarray(self.masks[scans])


@dataclass(frozen=True)
class _Mapped:
    """Where a memory map lies."""

    filename: str
    dtype: str
    offset: int
    shape: tuple[int, ...]

    @classmethod
    def of(cls, value: Any) -> Any:
        """Name the file of a memory map; anything else, part of a map too, stays what it is."""
        if isinstance(value, np.memmap) and isinstance(value.base, mmap) and value.flags.c_contiguous:
            return cls(str(value.filename), value.dtype.str, value.offset, value.shape)
        return value

    def open(self) -> NDArray[Any]:
        return np.memmap(self.filename, self.dtype, "r", self.offset, self.shape)
