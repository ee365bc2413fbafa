"""Models Genesis: bent intensities, shuffled pixels and painted boxes are undone together."""

import torch
from pydantic import Field

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.genesis import genesis
from medunsup.selfsupervised.restoration import RestorationLearner
from medunsup.training.learner import View


class ModelsGenesisConfig(PretrainConfig):
    """Parameters of Models Genesis."""

    bend_probability: float = Field(
        0.9, ge=0, le=1, description="share of items whose intensities are bent by a Bezier curve"
    )
    shuffle_probability: float = Field(
        0.5, ge=0, le=1, description="share of items whose voxels are shuffled in small windows"
    )
    paint_probability: float = Field(0.9, ge=0, le=1, description="share of items that noise is painted into")
    inpaint_share: float = Field(
        0.2, ge=0, le=1, description="share of those with noise inside boxes, not around them"
    )
    boxes: int = Field(5, ge=1, le=64, description="boxes in an item that is painted")
    window: int = Field(4, ge=2, le=32, description="sides in voxels of a window that is shuffled")


class ModelsGenesisLearner(RestorationLearner):
    """Encoder and decoder that undo the four corruptions."""

    def corrupt(self, view: View, generator: torch.Generator) -> Corrupted:
        """Bend intensities, shuffle voxels, paint noise."""
        chosen = self.config
        return genesis(
            view,
            generator,
            bend_probability=chosen.bend_probability,
            shuffle_probability=chosen.shuffle_probability,
            paint_probability=chosen.paint_probability,
            inpaint_share=chosen.inpaint_share,
            boxes=chosen.boxes,
            window=chosen.window,
        )


@register(
    "models_genesis",
    family="restoration",
    dims=(2, 3),
    paper="Zhou et al., Models Genesis: generic autodidactic models for 3D medical image analysis, MICCAI "
    "2019, arXiv:1908.06912",
    limit="Bent intensities cannot be undone unless those of all scans mean the same, so scale them alike.",
)
class ModelsGenesis(SelfSupervised):
    """Four corruptions, each with its own probability, are undone by one network.

    The original trains a U-Net with skips; here the coarsest map must hold all, so that the encoder learns.

    Parameters
    ----------
    config : ModelsGenesisConfig, optional
        Parameters of the method, listed by `help(ModelsGenesis.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : ModelsGenesisLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import ModelsGenesis, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = ModelsGenesis(ModelsGenesis.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = ModelsGenesisConfig
    learner_: ModelsGenesisLearner

    def build(self, shape: tuple[int, ...]) -> ModelsGenesisLearner:
        """Make encoder and decoder."""
        return ModelsGenesisLearner(shape, self.config)
