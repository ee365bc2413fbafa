"""What methods share that embed two views of each item and compare them within the batch."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from medunsup.nn.heads import Projector
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.views import ViewsConfig, two_views
from medunsup.training.learner import Batch, Embeddings, Loss, Objective


class TwoViewsConfig(ViewsConfig):
    """Parameters that these methods share."""

    batch_size: int = Field(64, ge=2, description="items in each step, each the negative of those of others")
    projection_dim: int = Field(64, ge=2, le=4096, description="length of the embeddings that are compared")


class TwoViewsLearner(PretrainLearner):
    """Encoder and projector; a method gives `compare`, which sees the embeddings of the whole batch.

    `loss_name` names the loss in the log.
    """

    kind: ClassVar[Kind] = "contrastive"
    loss_name: ClassVar[str]

    def __init__(self, shape: tuple[int, ...], config: TwoViewsConfig) -> None:
        super().__init__(shape, config)
        self.projector = Projector(self.encoder.n_features, config.projection_dim)

    @abstractmethod
    def compare(self, first: Tensor, second: Tensor, subjects: Tensor) -> Tensor:
        """Return the loss of the embeddings (N, D) of two views; `subjects` (N,) tells whose items are."""

    def objectives(self) -> Sequence[Objective]:
        """Return one joint objective."""
        return [self.objective(self.loss_name, self.loss, embed=self.embed)]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Make two views of each item."""
        return two_views(batch, generator, self.config.augmentations)

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        """Return the embeddings of both views, and whose each item is."""
        first, second = (
            self.projector(self.encoder.features(view.values, view.masks)) for view in batch.views
        )
        return first, second, batch.subjects.to(first.device)

    def loss(self, embeddings: Embeddings, generator: torch.Generator) -> Loss:
        """Compare the whole batch."""
        first, second, subjects = embeddings
        return Loss(self.compare(first, second, subjects), {})

    def embedded_views(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Embed two views of each item."""
        first, second, *_ = self.embed(self.augment(batch, generator), generator)
        return first, second
