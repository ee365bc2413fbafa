"""Inpainting: holes are filled from what is around them."""

import torch
from pydantic import Field

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.inpaint import inpaint
from medunsup.selfsupervised.restoration import RestorationLearner
from medunsup.training.learner import View


class InpaintingConfig(PretrainConfig):
    """Parameters of inpainting."""

    holes: int = Field(4, ge=1, le=64, description="boxes that are filled with the item's mean")
    least_side: float = Field(
        0.1, gt=0, le=1, description="shortest side of a box, a share of the item's side"
    )
    most_side: float = Field(0.3, gt=0, le=1, description="longest side of a box")


class InpaintingLearner(RestorationLearner):
    """Encoder and decoder that fill holes; only the holes count."""

    changed_only = True

    def corrupt(self, view: View, generator: torch.Generator) -> Corrupted:
        """Fill boxes with the item's mean."""
        chosen = self.config
        sides = {"least_side": chosen.least_side, "most_side": chosen.most_side}
        return inpaint(view, generator, holes=chosen.holes, **sides)


@register(
    "inpainting",
    family="restoration",
    dims=(2, 3),
    paper="Pathak et al., Context encoders: feature learning by inpainting, CVPR 2016, arXiv:1604.07379",
    limit="Holes are filled with what is likely, without a critic, so what is learned is smooth.",
)
class Inpainting(SelfSupervised):
    """Boxes inside the brain are hidden, and filled again from what is around them.

    Parameters
    ----------
    config : InpaintingConfig, optional
        Parameters of the method, listed by `help(Inpainting.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : InpaintingLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Inpainting, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Inpainting(Inpainting.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = InpaintingConfig
    learner_: InpaintingLearner

    def build(self, shape: tuple[int, ...]) -> InpaintingLearner:
        """Make encoder and decoder."""
        return InpaintingLearner(shape, self.config)
