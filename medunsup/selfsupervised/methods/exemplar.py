"""Exemplar: each item is a class of its own, and its changed view is to be called by it."""

from math import log
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.selfsupervised.augmentations.presets import augment
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.losses.cross_view import cross_view
from medunsup.selfsupervised.two_views import TwoViewsConfig, TwoViewsLearner
from medunsup.training.learner import Batch


class ExemplarConfig(TwoViewsConfig):
    """Parameters of exemplar."""

    temperature: float = Field(0.1, gt=0, le=10, description="what similarities are divided by")


class ExemplarLearner(TwoViewsLearner):
    """Encoder and projector; a changed view is told among the unchanged items of the batch."""

    loss_name: ClassVar[str] = "exemplar"

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return log(self.config.batch_size)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Show each item changed, and as it is: the exemplar of its class."""
        (view,) = batch.views
        return batch.shown_as([augment(view, generator, self.config.augmentations), view])

    def compare(self, first: Tensor, second: Tensor, subjects: Tensor) -> Tensor:
        """Cross-entropy, in which items of one subject are no classes to be told apart."""
        return cross_view(first, second, temperature=self.config.temperature, subjects=subjects)


@register(
    "exemplar",
    family="contrastive",
    dims=(2, 3),
    paper="Dosovitskiy et al., Discriminative unsupervised feature learning with exemplar convolutional "
    "neural networks, arXiv:1406.6909; in 3D Taleb et al., NeurIPS 2020, arXiv:2006.03829",
    limit="Classes are the items of a batch, not of all scans, so small batches are easy and teach little.",
)
class Exemplar(SelfSupervised):
    """Each item is a class of its own, and its changed view is to be called by it.

    The original has an output for each exemplar. Here the exemplars are the embeddings of the unchanged items
    of the batch, so that nothing grows with the number of scans and new ones can be validated on.

    Parameters
    ----------
    config : ExemplarConfig, optional
        Parameters of the method, listed by `help(Exemplar.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : ExemplarLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Exemplar, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Exemplar(Exemplar.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = ExemplarConfig
    learner_: ExemplarLearner

    def build(self, shape: tuple[int, ...]) -> ExemplarLearner:
        """Make encoder and projector."""
        return ExemplarLearner(shape, self.config)
