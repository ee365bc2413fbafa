"""Items of scans, and beside each what is asked of its voxels."""

from dataclasses import replace

from medunsup.training.datasets import Dataset, Draws, Masks, Positions, Values
from medunsup.training.learner import Batch, View


class WithTargets(Dataset):
    """The items of `inputs`, each with the item of `targets` at the same place as its last view.

    Both are datasets of one kind over scans with the same masks, so what is cut from one is cut from the
    other. `inputs` must not be transformed as they are taken, for targets would not follow.
    """

    def __init__(self, inputs: Dataset, targets: Dataset) -> None:
        self.inputs, self.targets = inputs, targets
        super().__init__(inputs.values, inputs.masks, inputs.names, subjects=inputs.subjects)

    def batch(self, items: Positions, draws: Draws | None = None) -> Batch:
        """Gather items, and what is asked of them."""
        asked = self.targets.batch(items, draws)
        batch = self.inputs.batch(items, draws)
        return replace(batch, further=(*batch.further, View(asked.values, asked.masks)))

    @property
    def levels(self) -> Positions | None:
        """Axial slice that each item is; None where items are no single slices."""
        return self.inputs.levels

    def reader(self) -> "WithTargets":
        """Return the same items to be read by another thread."""
        return WithTargets(self.inputs.reader(), self.targets.reader())

    def digest(self) -> str:
        """Checksum of scans and targets."""
        return f"{self.inputs.digest()}; targets: {self.targets.digest()}"

    def _scans(self) -> Positions:
        return self.inputs.scans

    def _gather(self, items: Positions, draws: Draws) -> tuple[Values, Masks]:
        return self.inputs._gather(items, draws)
