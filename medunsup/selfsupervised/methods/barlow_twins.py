"""Barlow Twins: two views agree in each feature, and no two features say the same."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.heads import NormedProjector
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.losses.barlow_twins import barlow_twins
from medunsup.selfsupervised.views import ViewsConfig, two_views
from medunsup.training.learner import Batch, Embeddings, Loss, Objective


class BarlowTwinsConfig(ViewsConfig):
    """Parameters of Barlow Twins."""

    batch_size: int = Field(64, ge=2, description="items in each step, over which correlations are taken")
    projection_dim: int = Field(128, ge=2, le=8192, description="length of the embeddings (paper: 8192)")
    redundancy: float = Field(
        0.02, gt=0, le=10, description="weight of correlations of different features (paper: 0.0051)"
    )


class BarlowTwinsLearner(PretrainLearner):
    """Encoder and projector with batch norm; the projector sees the whole batch."""

    kind: ClassVar[Kind] = "redundancy"

    def __init__(self, shape: tuple[int, ...], config: BarlowTwinsConfig) -> None:
        super().__init__(shape, config)
        self.projector = NormedProjector(self.encoder.n_features, config.projection_dim)

    def objectives(self) -> Sequence[Objective]:
        """Return one joint objective."""
        return [self.objective("barlow_twins", self.loss, embed=self.embed)]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Make two views of each item."""
        return two_views(batch, generator, self.config.augmentations)

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        """Return the features of both views."""
        return tuple(self.encoder.features(view.values, view.masks) for view in batch.views)

    def loss(self, features: Embeddings, generator: torch.Generator) -> Loss:
        """Distance of the correlations of projected features from the identity."""
        first, second = (self.projector(rows) for rows in features)
        return Loss(barlow_twins(first, second, redundancy=self.config.redundancy), {})

    def embedded_views(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Embed two views of each item."""
        first, second = self.embed(self.augment(batch, generator), generator)
        return self.projector(first), self.projector(second)


@register(
    "barlow_twins",
    family="redundancy",
    dims=(2, 3),
    paper="Zbontar et al., Barlow Twins: self-supervised learning via redundancy reduction, ICML 2021, "
    "arXiv:2103.03230",
    limit="Items are taken as independent: several slices of a subject in a batch bend the correlations.",
)
class BarlowTwins(SelfSupervised):
    """Two views of an item agree in each feature, and features are decorrelated; it needs no negatives.

    Parameters
    ----------
    config : BarlowTwinsConfig, optional
        Parameters of the method, listed by `help(BarlowTwins.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : BarlowTwinsLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import BarlowTwins, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = BarlowTwins(BarlowTwins.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = BarlowTwinsConfig
    learner_: BarlowTwinsLearner

    def build(self, shape: tuple[int, ...]) -> BarlowTwinsLearner:
        """Make encoder and projector."""
        return BarlowTwinsLearner(shape, self.config)
