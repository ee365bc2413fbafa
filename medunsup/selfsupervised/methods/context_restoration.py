"""Context restoration: patches that changed places are put back."""

import torch
from pydantic import Field

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.patch_swap import patch_swap
from medunsup.selfsupervised.restoration import RestorationLearner
from medunsup.training.learner import View


class ContextRestorationConfig(PretrainConfig):
    """Parameters of context restoration."""

    swaps: int = Field(10, ge=1, le=1000, description="pairs of patches that change places in an item")
    share: float = Field(
        0.1, gt=0, le=0.5, description="sides of a patch, as a share of the item's shortest side"
    )


class ContextRestorationLearner(RestorationLearner):
    """Encoder and decoder that put swapped patches back."""

    def corrupt(self, view: View, generator: torch.Generator) -> Corrupted:
        """Swap pairs of patches."""
        side = max(1, int(self.config.share * min(view.values.shape[2:])))
        return patch_swap(view, generator, swaps=self.config.swaps, side=side)


@register(
    "context_restoration",
    family="restoration",
    dims=(2, 3),
    paper="Chen et al., Self-supervised learning for medical image analysis using image context restoration, "
    "Medical Image Analysis 2019, doi:10.1016/j.media.2019.101539",
    limit="Edges of the patches give the swap away, and gains were shown where labels are few.",
)
class ContextRestoration(SelfSupervised):
    """Patches are swapped in pairs, and the image is to be restored as it was.

    All intensities stay, so what counts is where things belong. Its error is that of the whole brain.

    Parameters
    ----------
    config : ContextRestorationConfig, optional
        Parameters of the method, listed by `help(ContextRestoration.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : ContextRestorationLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import ContextRestoration, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = ContextRestoration(ContextRestoration.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = ContextRestorationConfig
    learner_: ContextRestorationLearner

    def build(self, shape: tuple[int, ...]) -> ContextRestorationLearner:
        """Make encoder and decoder."""
        return ContextRestorationLearner(shape, self.config)
