"""An epoch of a given length, however few or many the items are."""

import numpy as np

from medunsup.training.datasets import Dataset, Positions
from medunsup.training.wrapped import Wrapped


class AsMany(Wrapped):
    """The items of `inner`, `n` of them an epoch: over and over if they are fewer, the first drawn if more.

    So few scans are learned from in batches as large, and for as many steps, as many scans are. Each time
    round they come in another order.
    """

    def __init__(self, inner: Dataset, n: int) -> None:
        super().__init__(inner)
        self.n = n

    def order(self, seed: int, epoch: int) -> Positions:
        """Items of one epoch."""
        rounds = -(-self.n // len(self.inner.order(seed, 0)))
        orders = [self.inner.order(seed, epoch * rounds + n) for n in range(rounds)]
        return np.concatenate(orders)[: self.n]

    def digest(self) -> str:
        """Checksum of the scans, and how many items an epoch has."""
        return f"{self.inner.digest()}, {self.n} items an epoch"
