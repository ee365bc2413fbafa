"""Triplet loss: an item's other view must be closer than any view of another subject, by a margin."""

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.losses.triplet import triplet
from medunsup.selfsupervised.two_views import TwoViewsConfig, TwoViewsLearner


class TripletConfig(TwoViewsConfig):
    """Parameters of the triplet loss."""

    margin: float = Field(
        0.2, gt=0, lt=2, description="by how much the other view must be closer, as distance of unit vectors"
    )


class TripletLearner(TwoViewsLearner):
    """Encoder and projector; the loss is over all triplets of the batch that are not right yet."""

    loss_name: ClassVar[str] = "triplet"

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return self.config.margin

    def compare(self, first: Tensor, second: Tensor, subjects: Tensor) -> Tensor:
        """Mean lack of distance over the triplets that lack any."""
        return triplet(first, second, margin=self.config.margin, subjects=subjects)


@register(
    "triplet",
    family="contrastive",
    dims=(2, 3),
    paper="Schroff et al., FaceNet: a unified embedding for face recognition and clustering, CVPR 2015, "
    "arXiv:1503.03832",
    limit="Its mean is over triplets that are still wrong, so the loss says little of progress.",
)
class Triplet(SelfSupervised):
    """An item's other view must be closer than any view of another subject, by a margin.

    Parameters
    ----------
    config : TripletConfig, optional
        Parameters of the method, listed by `help(Triplet.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : TripletLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Scans, Triplet
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Triplet(Triplet.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = TripletConfig
    learner_: TripletLearner

    def build(self, shape: tuple[int, ...]) -> TripletLearner:
        """Make encoder and projector."""
        return TripletLearner(shape, self.config)
