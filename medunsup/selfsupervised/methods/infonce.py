"""InfoNCE: each view finds its partner among the other views of the batch."""

from math import log
from typing import ClassVar

from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.losses.cross_view import cross_view
from medunsup.selfsupervised.two_views import TwoViewsConfig, TwoViewsLearner


class InfoNCEConfig(TwoViewsConfig):
    """Parameters of InfoNCE."""

    temperature: float = Field(0.1, ge=0.01, le=10, description="what similarities are divided by")


class InfoNCELearner(TwoViewsLearner):
    """Encoder and projector; each first view is told among all second ones, and the other way round."""

    loss_name: ClassVar[str] = "info_nce"

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return log(self.config.batch_size)

    def compare(self, first: Tensor, second: Tensor, subjects: Tensor) -> Tensor:
        """InfoNCE both ways, in which items of one subject are no negatives of one another."""
        return cross_view(first, second, temperature=self.config.temperature, subjects=subjects)


@register(
    "infonce",
    family="contrastive",
    dims=(2, 3),
    paper="van den Oord et al., Representation learning with contrastive predictive coding, 2018, "
    "arXiv:1807.03748",
    limit="It has half the negatives of SimCLR in the same batch, so it needs many subjects in one.",
)
class InfoNCE(SelfSupervised):
    """Each view finds its partner among the other views of all other subjects in the batch.

    Parameters
    ----------
    config : InfoNCEConfig, optional
        Parameters of the method, listed by `help(InfoNCE.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : InfoNCELearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import InfoNCE, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = InfoNCE(InfoNCE.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = InfoNCEConfig
    learner_: InfoNCELearner

    def build(self, shape: tuple[int, ...]) -> InfoNCELearner:
        """Make encoder and projector."""
        return InfoNCELearner(shape, self.config)
