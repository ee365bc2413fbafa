"""Batches that always hold labelled and unlabelled items, in a fixed proportion."""

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError
from medunsup.training.datasets import Dataset, Positions
from medunsup.training.wrapped import Wrapped

ORDER_OF_LABELLED = 1


def labelled_in_batch(size: int, share: float) -> int:
    """How many of a batch of `size` items are labelled: at least one, and not all."""
    return min(max(1, round(share * size)), size - 1)


class Mixed(Wrapped):
    """The items of `inner`, of whose scans few `are_labelled` (N,), in batches of `size` with both kinds.

    An epoch goes once through the unlabelled items, or through as many as make `most` batches; the labelled
    ones are taken again and again, each as often as another. In a batch labelled items stand at equal
    distances, so that pieces of it hold as many. The order follows from the seed and the epoch.
    """

    def __init__(
        self, inner: Dataset, are_labelled: NDArray[np.bool_], *, size: int, share: float, most: int
    ) -> None:
        super().__init__(inner)
        self.size, self.most = size, most
        self.n_labelled = labelled_in_batch(size, share)
        self.are_labelled = np.asarray(are_labelled)[self.scans]
        if self.are_labelled.all() or not self.are_labelled.any():
            raise InputError(
                f"{self.are_labelled.sum()} of {len(self)} slices, volumes or patches are labelled: some "
                "must be, and some not. Look at the masks of the scans."
            )

    def order(self, seed: int, epoch: int) -> Positions:
        """Items of one epoch, batch after batch."""
        items = self.inner.order(seed, epoch)
        known, unknown = items[self.are_labelled[items]], items[~self.are_labelled[items]]
        n_unknown = self.size - self.n_labelled
        batches = min(max(1, len(unknown) // n_unknown), self.most)
        needed = batches * self.n_labelled
        rng = np.random.default_rng((seed, ORDER_OF_LABELLED, epoch))
        rounds = [rng.permutation(known) for _ in range(-(-needed // len(known)))]
        found = np.empty((batches, self.size), np.intp)
        places = np.zeros(self.size, bool)
        places[np.arange(self.n_labelled) * self.size // self.n_labelled] = True
        found[:, places] = np.concatenate(rounds)[:needed].reshape(batches, -1)
        found[:, ~places] = np.resize(unknown, batches * n_unknown).reshape(batches, -1)
        return found.ravel()

    def digest(self) -> str:
        """Checksum of the scans, and how batches are made of them."""
        return f"{self.inner.digest()}, {self.n_labelled} of {self.size} labelled"
