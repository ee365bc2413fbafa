"""SimCLR: two views of an item are alike, and unlike those of other subjects in the batch."""

from collections.abc import Sequence
from math import log
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.heads import Projector
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.losses.nt_xent import nt_xent
from medunsup.selfsupervised.views import ViewsConfig, two_views
from medunsup.training.learner import Batch, Embeddings, Loss, Objective


class SimCLRConfig(ViewsConfig):
    """Parameters of SimCLR."""

    batch_size: int = Field(64, ge=2, description="items in each step, each the negative of those of others")
    temperature: float = Field(0.1, gt=0, le=10, description="what similarities are divided by")
    projection_dim: int = Field(64, ge=2, le=4096, description="length of the embeddings that are compared")


class SimCLRLearner(PretrainLearner):
    """Encoder and projector; the loss sees the embeddings of the whole batch."""

    kind: ClassVar[Kind] = "contrastive"

    def __init__(self, shape: tuple[int, ...], config: SimCLRConfig) -> None:
        super().__init__(shape, config)
        self.projector = Projector(self.encoder.n_features, config.projection_dim)

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return log(2 * self.config.batch_size - 1)

    def objectives(self) -> Sequence[Objective]:
        """Return one joint objective."""
        return [self.objective("nt_xent", self.loss, embed=self.embed)]

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
        """NT-Xent, in which items of one subject are no negatives of one another."""
        first, second, subjects = embeddings
        return Loss(nt_xent(first, second, temperature=self.config.temperature, subjects=subjects), {})

    def embedded_views(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Embed two views of each item."""
        first, second, _ = self.embed(self.augment(batch, generator), generator)
        return first, second


@register(
    "simclr",
    family="contrastive",
    dims=(2, 3),
    paper="Chen et al., A simple framework for contrastive learning of visual representations, ICML 2020, "
    "arXiv:2002.05709",
    limit="It needs many items of many subjects in a batch, and forgets what the augmentations change.",
)
class SimCLR(SelfSupervised):
    """Two augmented views of an item are told from those of all other subjects in the batch.

    Parameters
    ----------
    config : SimCLRConfig, optional
        Parameters of the method, listed by `help(SimCLR.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : SimCLRLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Scans, SimCLR
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = SimCLR(SimCLR.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = SimCLRConfig
    learner_: SimCLRLearner

    def build(self, shape: tuple[int, ...]) -> SimCLRLearner:
        """Make encoder and projector."""
        return SimCLRLearner(shape, self.config)
