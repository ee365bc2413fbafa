"""The loss on items that are not trained on: what early stopping watches."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from medunsup.training.datasets import Dataset, Draws
from medunsup.training.feed import Feed, Request, Work
from medunsup.training.learner import Learner
from medunsup.training.seeds import Use, draw, seeded


class Validation:
    """Validates a learner on the same items with the same random numbers each time.

    A joint loss compares the items of a batch, so for that batches take one item of each scan in turn.
    """

    def __init__(
        self, fabric: Any, learner: Learner, dataset: Dataset, *, seed: int, batch_size: int, workers: int
    ) -> None:
        self._fabric, self._learner, self._dataset = fabric, learner, dataset
        self._seed, self._size, self._workers = seed, batch_size, workers

    def loss(self, *, began: float) -> float | None:
        """Mean loss over all items, after an epoch that `began` at this share of the run.

        None if the first objective was not due then: a later stage's loss says nothing yet.
        """
        first = self._learner.objectives()[0]
        if not self._learner.is_due(first, began):
            return None
        self._learner.eval()
        order = self._dataset.in_turn() if first.joint else np.arange(len(self._dataset))
        draws = Draws(draw(self._seed, use=Use.VALIDATION))
        requests = [
            Request(order[start : start + self._size], replace(draws, first=start))
            for start in range(0, len(order), self._size)
        ]
        feed = Feed(self._dataset, self._fabric.device, workers=self._workers)
        with feed.works(requests) as works:
            return sum(len(work.items) * self._of_batch(work) for work in works) / len(order)

    def _of_batch(self, work: Work) -> float:
        device, key = self._fabric.device, (self._seed, int(work.items[0]))
        (piece,) = work.pieces
        with torch.no_grad():
            batch = self._learner.augment(piece.batch, seeded(device, *key, use=Use.VALIDATION))
        with torch.no_grad(), self._fabric.autocast():
            return float(self._learner.validate(batch, seeded(device, *key)))
