"""Items of scans, and beside each what is asked of its voxels."""

from dataclasses import replace
from typing import Self

from medunsup.training.datasets import Dataset, Draws, Positions
from medunsup.training.learner import Batch, View
from medunsup.training.wrapped import Wrapped


class WithTargets(Wrapped):
    """The items of `inner`, each with the item of `targets` at the same place as its last view.

    Both are datasets of one kind over scans with the same masks, so what is cut from one is cut from the
    other. `inner` must not be transformed as its items are taken, for targets would not follow.
    """

    def __init__(self, inner: Dataset, targets: Dataset) -> None:
        super().__init__(inner)
        self.targets = targets

    def batch(self, items: Positions, draws: Draws | None = None) -> Batch:
        """Gather items, and what is asked of them."""
        asked = self.targets.batch(items, draws)
        batch = super().batch(items, draws)
        return replace(batch, further=(*batch.further, View(asked.values, asked.masks)))

    def reader(self) -> Self:
        """Return the same items to be read by another thread."""
        other = super().reader()
        other.targets = self.targets.reader()
        return other

    def digest(self) -> str:
        """Checksum of scans and targets."""
        return f"{self.inner.digest()}; targets: {self.targets.digest()}"
