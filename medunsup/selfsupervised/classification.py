"""Methods that name how an item was changed: what they share."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from math import log
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from medunsup.nn.heads import Projector
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.corruptions.corrupted import Classed
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.no_better import no_better
from medunsup.training.learner import Batch, Loss, Objective, View


class ClassificationLearner(PretrainLearner):
    """Encoder, and a head that names which of `n_classes` changes an item went through.

    A method gives `change`. Beside the cross-entropy stands the share of items that are named right.
    `parts` is of how many parts, each a row of features, an item is made.
    """

    kind: ClassVar[Kind] = "classification"

    def __init__(self, shape: tuple[int, ...], config: Any, n_classes: int, *, parts: int = 1) -> None:
        super().__init__(shape, config)
        self.n_classes = n_classes
        width = self.encoder.n_features
        self.head = Projector(parts * width, n_classes, hidden=width)

    @property
    def guessing(self) -> float:
        """Loss of whoever calls all classes equally likely."""
        return log(self.n_classes)

    @abstractmethod
    def change(self, view: View, generator: torch.Generator) -> Classed:
        """Change items, each in a way drawn for it."""

    def looked_at(self, view: View) -> Tensor:
        """Return what the head sees of items (B, C, ...): (B, parts * D)."""
        return self.encoder.features(view.values, view.masks)

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: encoder and head together."""
        return [self.objective("cross_entropy", self.loss)]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Cross-entropy of the changes that are drawn now."""
        done = self.change(View(batch.values, batch.masks), generator)
        logits = self.head(self.looked_at(done.view)).float()
        accuracy = (logits.argmax(dim=1) == done.classes).float().mean()
        return Loss(functional.cross_entropy(logits, done.classes), {"accuracy": accuracy})

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Name a collapse, or say that the loss is that of guessing."""
        row = {**history[-1], "guessing": self.guessing}
        return super().verdict(history) or no_better(
            row, "cross_entropy", {"guessing": "guessing"}, self.config
        )
