"""An epoch of a given length, however few or many the items are."""

import numpy as np

from medunsup.training.datasets import Dataset, Draws, Masks, Positions, Values
from medunsup.training.learner import Batch


class AsMany(Dataset):
    """The items of `inputs`, `n` of them an epoch: over and over if they are fewer, the first drawn if more.

    So few scans are learned from in batches as large, and for as many steps, as many scans are. Each time
    round they come in another order.
    """

    def __init__(self, inputs: Dataset, n: int) -> None:
        self.inputs, self.n = inputs, n
        super().__init__(
            inputs.values,
            inputs.masks,
            inputs.names,
            subjects=inputs.subjects,
            covariates=inputs.covariates,
            labels=inputs.labels,
        )
        self.transforms = inputs.transforms

    def order(self, seed: int, epoch: int) -> Positions:
        """Items of one epoch."""
        rounds = -(-self.n // len(self.inputs.order(seed, 0)))
        orders = [self.inputs.order(seed, epoch * rounds + n) for n in range(rounds)]
        return np.concatenate(orders)[: self.n]

    def batch(self, items: Positions, draws: Draws | None = None) -> Batch:
        """Gather items."""
        return self.inputs.batch(items, draws)

    def reader(self) -> "AsMany":
        """Return the same items to be read by another thread."""
        return AsMany(self.inputs.reader(), self.n)

    def digest(self) -> str:
        """Checksum of the scans, and how many items an epoch has."""
        return f"{self.inputs.digest()}, {self.n} items an epoch"

    def _scans(self) -> Positions:
        return self.inputs.scans

    def _gather(self, items: Positions, draws: Draws) -> tuple[Values, Masks]:
        return self.inputs._gather(items, draws)
