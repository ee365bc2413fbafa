"""Scans as the loop sees them: slices or volumes, in an order that follows from the seed and the epoch."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from mmap import mmap
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from medunsup.core.errors import InputError
from medunsup.training.learner import Batch, View
from medunsup.training.seeds import Use, draw
from medunsup.training.transforms import TransformOrMany, Transforms

SMALLEST_SHARE = 0.02
ORDER = 0

Positions = NDArray[np.intp]
Values = NDArray[np.float32]
Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Draws:
    """Where items stand in an epoch: all that their random numbers follow from.

    The items are those from place `first` on of epoch `epoch`, so neither the size of a batch or piece nor
    the process that gathers them changes what is drawn.
    """

    seed: int = 0
    epoch: int = 0
    first: int = 0

    def of(self, n: int, *more: int) -> int:
        """Draw a seed for the item `n` places after the first."""
        return draw(self.seed, self.epoch, self.first + n, *more, use=Use.ITEM)


class Dataset(ABC):
    """Items that batches are made of; each belongs to one scan.

    `values` are (N, C, I, J, K) float32 and `masks` (N, I, J, K) bool, in memory or mapped from disk;
    `subjects` tell whose each scan is, if a subject has several; `covariates` (N,) or (N, P) what else is
    known of it; `labels` (N,) its class, -1 where none is known.
    A `transform` (any MONAI dictionary transform with the keys "values" and "mask") changes each item as it
    is taken; a list of them makes one view of the item each. What is drawn follows from `Draws` alone.
    """

    def __init__(
        self,
        values: Values,
        masks: Masks,
        names: Sequence[str] = (),
        *,
        subjects: Sequence[str] = (),
        covariates: NDArray[np.floating] | None = None,
        labels: NDArray[np.integer] | None = None,
        transform: TransformOrMany = None,
    ) -> None:
        self.values = values
        self.masks = masks
        self.names = tuple(names) or tuple(str(n) for n in range(len(values)))
        self.subjects = tuple(subjects)
        self.covariates = None if covariates is None else _columns(covariates)
        self.labels = None if labels is None else np.ascontiguousarray(labels, dtype=np.int64)
        self._owners = np.unique(self.subjects, return_inverse=True)[1] if self.subjects else None
        self.transforms = Transforms.of(transform)
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
    def _gather(self, items: Positions, draws: Draws) -> tuple[Values, Masks]:
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

    def in_turn(self) -> Positions:
        """All items, one of each scan in turn, so that neighbours are of several scans."""
        _, counts = self._first_and_counts()
        return np.argsort(np.concatenate([np.arange(count) for count in counts]), kind="stable")

    def batch(self, items: Positions, draws: Draws | None = None) -> Batch:
        """Gather items; `draws` is for what is drawn at random."""
        draws = draws or Draws()
        values, masks = (torch.from_numpy(array) for array in self._gather(items, draws))
        views = self.transforms.views(values, masks[:, None], draws.of) or [View(values, masks[:, None])]
        scans = self.scans[items]
        known = {"owners": self._owners, "covariates": self.covariates, "labels": self.labels}
        own: dict[str, Any] = {
            name: None if one is None else torch.from_numpy(one[scans]) for name, one in known.items()
        }
        return replace(Batch.of_views(views, torch.from_numpy(scans)), **own)

    def reader(self) -> "Dataset":
        """Return the same items to be read by another thread: arrays are shared, transforms are not."""
        other = copy(self)
        other.transforms = deepcopy(self.transforms)
        return other

    @property
    def levels(self) -> Positions | None:
        """Axial slice that each item is, counted from below; None where items are no single slices."""
        return None

    @property
    def n_subjects(self) -> int:
        """Number of subjects that items come from."""
        return len(np.unique(self.scans if self._owners is None else self._owners[self.scans]))

    def names_of(self, items: Positions) -> list[str]:
        """Names of the scans that items come from, each once."""
        return [self.names[n] for n in np.unique(self.scans[items])]

    def digest(self) -> str:
        """Checksum of names, subjects, what is known of them, values and masks: to know the data again."""
        total = zlib.crc32("\n".join((*self.names, *self.subjects)).encode())
        for known in (self.covariates, self.labels):
            total = total if known is None else zlib.crc32(known.data, total)
        for values, mask in zip(self.values, self.masks, strict=True):
            for array in (values, mask):
                total = zlib.crc32(np.ascontiguousarray(array).data, total)
        return f"{len(self.names)} scans, checksum {total:08x}"

    def _first_and_counts(self) -> tuple[Positions, Positions]:
        _, first, counts = np.unique(self.scans, return_index=True, return_counts=True)
        return first, counts


def _columns(covariates: NDArray[np.floating]) -> NDArray[np.float32]:
    """Lay covariates out as (N, P)."""
    return np.ascontiguousarray(covariates.reshape(len(covariates), -1), dtype=np.float32)


def slices_shown(masks: Masks) -> NDArray[np.bool_]:
    """Return (N, K) which axial slices of scans with masks (N, I, J, K) are learned from."""
    least = SMALLEST_SHARE * masks.shape[1] * masks.shape[2]
    counts = np.stack([np.count_nonzero(mask, axis=(0, 1)) for mask in masks])
    return counts >= max(1, least)


class Slices(Dataset):
    """Axial slices (C, I, J) of which at least 2 % lie inside the mask."""

    @property
    def levels(self) -> Positions:
        """Axial slice that each item is, counted from below."""
        return self._levels

    def _scans(self) -> Positions:
        scans, self._levels = np.nonzero(slices_shown(self.masks))
        return scans

    def _gather(self, items: Positions, draws: Draws) -> tuple[Values, Masks]:
        scans, levels = self.scans[items], self._levels[items]
        values = np.moveaxis(self.values, 4, 1)[scans, levels]
        masks = np.moveaxis(self.masks, 3, 1)[scans, levels]
        return np.ascontiguousarray(values), np.ascontiguousarray(masks)


class Volumes(Dataset):
    """Whole volumes (C, I, J, K)."""

    def _scans(self) -> Positions:
        return np.array([n for n, mask in enumerate(self.masks) if mask.any()], dtype=np.intp)

    def _gather(self, items: Positions, draws: Draws) -> tuple[Values, Masks]:
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
