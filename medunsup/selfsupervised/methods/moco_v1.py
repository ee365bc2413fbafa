"""MoCo v1: momentum contrast with a linear projector, colder similarities and no smoothed views."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from torch import nn

from medunsup.core.registry import register
from medunsup.selfsupervised.augmentations.presets import PRESETS, Augmentations
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.momentum_contrast import MoCoConfig, MoCoLearner
from medunsup.selfsupervised.views import ABOUT, named_augmentations

SHARP = PRESETS["segmentation"].model_copy(update={"blur": 0.0})


class MoCoV1Config(MoCoConfig):
    """Parameters of MoCo v1."""

    augmentations: Annotated[Augmentations, BeforeValidator(named_augmentations)] = Field(
        SHARP, description=f"{ABOUT}; by default 'segmentation' without smoothing"
    )
    temperature: float = Field(0.07, ge=0.01, le=10, description="what similarities are divided by")


class MoCoV1Learner(MoCoLearner):
    """Momentum contrast behind one linear layer."""

    def __init__(self, shape: tuple[int, ...], config: MoCoV1Config) -> None:
        super().__init__(shape, config, head=nn.Linear)


@register(
    "moco_v1",
    family="contrastive",
    dims=(2, 3),
    paper="He et al., Momentum contrast for unsupervised visual representation learning, CVPR 2020, "
    "arXiv:1911.05722",
    limit="Without a hidden layer in between the features themselves forget what the augmentations change.",
)
class MoCoV1(SelfSupervised):
    """An item's view is told from a queue of earlier views of other subjects, encoded by a moving average.

    Parameters
    ----------
    config : MoCoV1Config, optional
        Parameters of the method, listed by `help(MoCoV1.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : MoCoV1Learner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder, that of the queries.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import MoCoV1, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = MoCoV1(MoCoV1.Config(epochs=1, batch_size=4, queue_size=16)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = MoCoV1Config
    learner_: MoCoV1Learner

    def build(self, shape: tuple[int, ...]) -> MoCoV1Learner:
        """Make encoder, linear projector, their teachers and a queue."""
        return MoCoV1Learner(shape, self.config)
