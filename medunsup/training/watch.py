"""A learner looked at by what it makes of the same items, before the first step and once an epoch."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from medunsup.training.datasets import Dataset
from medunsup.training.learner import Batch, Learner
from medunsup.training.seeds import Use, seeded

ITEMS_MEASURED = 256
FEWEST_ITEMS, FEWEST_SUBJECTS = 8, 4  # of validation, that figures can be told by
NUMBER = re.compile(r"\d[\d.]*")

Row = dict[str, float | None]

log = logging.getLogger(__name__)


class Watch:
    """Measures a learner, and lets it say what its history shows.

    `shown` is where the items are taken from. Several processes see the same; the first one tells.
    """

    def __init__(self, fabric: Any, learner: Learner, shown: Dataset, *, seed: int) -> None:
        self._fabric, self._learner, self._shown, self._seed = fabric, learner, shown, seed
        self.is_active = type(learner).measure is not Learner.measure and fabric.global_rank == 0
        self._told = ""

    @property
    def is_of_images(self) -> bool:
        """Whether items are flat images, not scans or their slices."""
        return self._shown.values.shape[-1] == 1

    def measure(self) -> Row:
        """Measure the learner in evaluation mode, with the same random numbers each time."""
        if not self.is_active:
            return {}
        batch, device = self.sample(ITEMS_MEASURED), self._fabric.device
        self._learner.eval()
        with torch.no_grad():
            return dict(self._learner.measure(batch, seeded(device, self._seed, use=Use.MEASURE)))

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Let the learner say what is wrong by its history, and warn of it once, whatever its numbers."""
        said = self._learner.verdict(history) if self.is_active else ""
        words = NUMBER.sub("", said)
        if words and words != self._told:
            log.warning("%s", said)
        self._told = words
        return said

    def sample(self, most: int) -> Batch:
        """Gather items that are evenly spread over all, the same ones each time."""
        return self._shown.batch(evenly_spread(len(self._shown), most)).to(self._fabric.device)


def is_enough(validation: Dataset) -> bool:
    """Whether validation items are enough to be measured; else those are that are learned from."""
    return len(validation) >= FEWEST_ITEMS and validation.n_subjects >= FEWEST_SUBJECTS


def evenly_spread(n: int, most: int) -> NDArray[np.intp]:
    """Positions of at most so many of n items, evenly spread over all."""
    count = min(most, n)
    return (2 * np.arange(count) + 1) * n // (2 * count)
