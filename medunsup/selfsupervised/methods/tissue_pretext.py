"""Tissue pretext: the tissue fractions that a mixture finds in each scan are learned, without labels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.core.registry import register
from medunsup.nn.losses import inside_mean
from medunsup.nn.segmenter import SkipDecoder
from medunsup.selfsupervised.augmentations.intensity import change_intensity
from medunsup.selfsupervised.augmentations.noise import add_noise
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.intensity_classes import N_CLASSES, with_classes
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.no_better import no_better
from medunsup.training.learner import Batch, Loss, Objective, View
from medunsup.training.loop import Training
from medunsup.training.scan_stack import Scans
from medunsup.training.targets import WithTargets
from medunsup.training.transforms import TransformOrMany

LEAST = 1e-6


class TissuePretextConfig(PretrainConfig):
    """Parameters of the tissue pretext."""

    noise: float = Field(0.5, ge=0, le=1, description="probability that noise is added to an item")
    intensity: float = Field(
        0.5, ge=0, le=1, description="probability that contrast, shift and gamma of an item are changed"
    )


class TissuePretextLearner(PretrainLearner):
    """Encoder, and a decoder of all its maps to the fractions of three tissues, as in fine-tuning."""

    def __init__(self, shape: tuple[int, ...], config: TissuePretextConfig) -> None:
        super().__init__(shape, config)
        encoder = self.encoder
        self.decoder = SkipDecoder(
            config.dims, shape[0], N_CLASSES, widths=encoder.widths, strides=encoder.strides
        )

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: encoder and decoder together."""
        return [self.objective("divergence", self.loss)]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Change intensities and add noise; fractions stay, as nothing is moved."""
        view, asked = batch.views
        view = change_intensity(view, generator, probability=self.config.intensity)
        view = add_noise(view, generator, probability=self.config.noise)
        return batch.shown_as([view, asked])

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Divergence of the fractions from those asked for; "proportions" is that of each item's own mean."""
        shown, asked = batch.views
        logits = self.decoder(shown.values, self.encoder(shown.values)).float()
        axes = tuple(range(2, logits.ndim))
        counts = asked.masks.sum(axes, keepdim=True).clamp(min=1)
        proportions = (asked.values * asked.masks).sum(axes, keepdim=True) / counts
        is_right = logits.argmax(1, keepdim=True) == asked.values.argmax(1, keepdim=True)
        beside = {
            "proportions": _divergence(asked, proportions.clamp(min=LEAST).log()),
            "agreement": inside_mean(is_right.float(), asked.masks),
        }
        return Loss(_divergence(asked, logits.log_softmax(1)), beside)

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Name a collapse, or say that an item's proportions are as near."""
        words = {"proportions": "each item's own proportions of the tissues"}
        return super().verdict(history) or no_better(history[-1], "divergence", words, self.config)


def _divergence(asked: View, log_fractions: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence in nats a voxel of the mask: 0 for the fractions asked for."""
    surplus = asked.values * (asked.values.clamp(min=LEAST).log() - log_fractions)
    return inside_mean(surplus.sum(1, keepdim=True), asked.masks)


@register(
    "tissue_pretext",
    family="prediction",
    dims=(2, 3),
    paper="Lee, Pseudo-label: the simple and efficient semi-supervised learning method for deep neural "
    "networks, ICML workshop 2013; here the labels are fractions, those of our own unsupervised mixture",
    limit="The mixture's errors are learned too, and nothing of what it does not see, such as lesions.",
)
class TissuePretext(SelfSupervised):
    """A network learns the tissue fractions that an unsupervised mixture finds in each scan.

    Fractions are those of `Scans.targets`, (N, 3, I, J, K). `medunsup pretrain` makes them of prepared scans
    by `atlas_gmm` with the template's tissue maps: GM, WM and CSF. Scans without targets, such as images, are
    split into a dark, a middle and a bright class by a mixture of three Gaussians. Inputs get noise and
    other intensities, so that thresholds alone do not tell. The decoder has skips, for its targets are not
    in the image: so the fine maps learn as well. A fine-tuning for segmentation starts with it.

    Parameters
    ----------
    config : TissuePretextConfig, optional
        Parameters of the method, listed by `help(TissuePretext.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : TissuePretextLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Scans, TissuePretext
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = TissuePretext(TissuePretext.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = TissuePretextConfig
    asks_for: ClassVar[str] = "tissue fractions"
    has_decoder = True
    learner_: TissuePretextLearner

    def build(self, shape: tuple[int, ...]) -> TissuePretextLearner:
        """Make encoder and decoder."""
        return TissuePretextLearner(shape, self.config)

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> WithTargets:
        """Make items with what is asked of their voxels.

        Parameters
        ----------
        scans : Scans
            Scans on one grid, with targets or without.
        transform : None
            Targets would not follow.

        Returns
        -------
        WithTargets
            Items of the scans, cut alike from values and targets.

        Raises
        ------
        UsageError
            If a transform is given.
        """
        if transform is not None:
            raise UsageError("tissue_pretext takes no transforms of the training: targets would not follow.")
        asked = with_classes(scans).targets
        assert asked is not None
        inputs, targets = (replace(scans, values=values, targets=None) for values in (scans.values, asked))
        return WithTargets(super().dataset(inputs), super().dataset(targets))

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Train the encoder; targets of scans without any are made first.

        Parameters
        ----------
        scans : Scans
            Scans on one grid.
        validation : Scans, optional
            Scans of other subjects.
        training : Training, optional
            Where and how the networks are trained.

        Returns
        -------
        TissuePretext
            This method, fitted.
        """
        validation = None if validation is None else with_classes(validation)
        return super().fit(with_classes(scans), validation=validation, training=training)
