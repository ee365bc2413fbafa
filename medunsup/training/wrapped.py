"""The items of another dataset: what all share that change their order, or lay something beside them."""

from copy import copy
from typing import Self

from medunsup.training.datasets import Dataset, Draws, Masks, Positions, Values
from medunsup.training.learner import Batch


class Wrapped(Dataset):
    """The items of `inner`, with all that is known of them; a subclass says what is otherwise."""

    def __init__(self, inner: Dataset) -> None:
        self.inner = inner
        super().__init__(
            inner.values,
            inner.masks,
            inner.names,
            subjects=inner.subjects,
            covariates=inner.covariates,
            labels=inner.labels,
        )
        self.transforms = inner.transforms

    def batch(self, items: Positions, draws: Draws | None = None) -> Batch:
        """Gather items."""
        return self.inner.batch(items, draws)

    def reader(self) -> Self:
        """Return the same items to be read by another thread."""
        other = copy(self)
        other.inner = self.inner.reader()
        other.transforms = other.inner.transforms
        return other

    @property
    def levels(self) -> Positions | None:
        """Axial slice that each item is; None where items are no single slices."""
        return self.inner.levels

    def _scans(self) -> Positions:
        return self.inner.scans

    def _gather(self, items: Positions, draws: Draws) -> tuple[Values, Masks]:
        return self.inner._gather(items, draws)
