"""MoCo v2: momentum contrast with a projector of two layers and smoothed views."""

from medunsup.core.registry import register
from medunsup.nn.heads import Projector
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.momentum_contrast import MoCoConfig, MoCoLearner


class MoCoV2Config(MoCoConfig):
    """Parameters of MoCo v2."""


class MoCoV2Learner(MoCoLearner):
    """Momentum contrast behind a projector with one hidden layer."""

    def __init__(self, shape: tuple[int, ...], config: MoCoV2Config) -> None:
        super().__init__(shape, config, head=Projector)


@register(
    "moco_v2",
    family="contrastive",
    dims=(2, 3),
    paper="Chen et al., Improved baselines with momentum contrastive learning, 2020, arXiv:2003.04297",
    limit="In a small cohort a queue holds each subject many times, so few of its keys are other subjects.",
)
class MoCoV2(SelfSupervised):
    """An item's view is told from a queue of earlier views of other subjects, encoded by a moving average.

    Parameters
    ----------
    config : MoCoV2Config, optional
        Parameters of the method, listed by `help(MoCoV2.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : MoCoV2Learner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder, that of the queries.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import MoCoV2, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = MoCoV2(MoCoV2.Config(epochs=1, batch_size=4, queue_size=16)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = MoCoV2Config
    learner_: MoCoV2Learner

    def build(self, shape: tuple[int, ...]) -> MoCoV2Learner:
        """Make encoder, projector, their teachers and a queue."""
        return MoCoV2Learner(shape, self.config)
