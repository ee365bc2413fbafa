"""Pairwise contrastive loss: views of an item together, those of other subjects a margin apart."""

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.losses.pairwise_margin import pairwise_margin
from medunsup.selfsupervised.two_views import TwoViewsConfig, TwoViewsLearner


class PairwiseConfig(TwoViewsConfig):
    """Parameters of the pairwise contrastive loss."""

    margin: float = Field(
        1.0, gt=0, lt=2, description="distance of unit vectors from which on negatives are far enough apart"
    )


class PairwiseLearner(TwoViewsLearner):
    """Encoder and projector; pairs of views are drawn together or pushed apart."""

    loss_name: ClassVar[str] = "pairwise_margin"

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return self.config.margin**2 / 2

    def compare(self, first: Tensor, second: Tensor, subjects: Tensor) -> Tensor:
        """Squared distances of positives, and squared lacks of distance of negatives."""
        return pairwise_margin(first, second, margin=self.config.margin, subjects=subjects)


@register(
    "pairwise",
    family="contrastive",
    dims=(2, 3),
    paper="Hadsell et al., Dimensionality reduction by learning an invariant mapping, CVPR 2006, "
    "doi:10.1109/CVPR.2006.100",
    limit="Negatives beyond the margin teach nothing, so learning slows as it succeeds.",
)
class Pairwise(SelfSupervised):
    """Views of an item are drawn together; those of other subjects are pushed a margin apart.

    Parameters
    ----------
    config : PairwiseConfig, optional
        Parameters of the method, listed by `help(Pairwise.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : PairwiseLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Pairwise, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Pairwise(Pairwise.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = PairwiseConfig
    learner_: PairwiseLearner

    def build(self, shape: tuple[int, ...]) -> PairwiseLearner:
        """Make encoder and projector."""
        return PairwiseLearner(shape, self.config)
