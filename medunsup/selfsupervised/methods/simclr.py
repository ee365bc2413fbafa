"""SimCLR: two views of an item are alike, and unlike those of other subjects in the batch."""

from math import log
from typing import ClassVar

from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.losses.nt_xent import nt_xent
from medunsup.selfsupervised.two_views import TwoViewsConfig, TwoViewsLearner


class SimCLRConfig(TwoViewsConfig):
    """Parameters of SimCLR."""

    temperature: float = Field(0.1, ge=0.01, le=10, description="what similarities are divided by")


class SimCLRLearner(TwoViewsLearner):
    """Encoder and projector; each view is told from all others of the batch."""

    loss_name: ClassVar[str] = "nt_xent"

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return log(2 * self.config.batch_size - 1)

    def compare(self, first: Tensor, second: Tensor, subjects: Tensor) -> Tensor:
        """NT-Xent, in which items of one subject are no negatives of one another."""
        return nt_xent(first, second, temperature=self.config.temperature, subjects=subjects)


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
