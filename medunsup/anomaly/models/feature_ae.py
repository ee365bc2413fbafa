"""Feature autoencoder: reconstructs what an encoder sees instead of the voxels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import torch
from pydantic import ConfigDict, Field, WithJsonSchema, field_serializer, field_validator
from torch import Tensor
from torch.nn import functional

from medunsup.anomaly.deep import DeepConfig, DeepModel
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.registry import register
from medunsup.nn import encoder as pretrained
from medunsup.nn.autoencoder import Decoder, Encoder
from medunsup.nn.features import MODES, FrozenFeatures
from medunsup.nn.frozen_encoder import EncoderCard, FrozenEncoder
from medunsup.nn.losses import inside_mean
from medunsup.nn.ssim import structural_similarity
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.loop import Training
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Array, Mask, Scans

WIDER = 4
POOL = {2: functional.max_pool2d, 3: functional.max_pool3d}

Network = Annotated[pretrained.Encoder, WithJsonSchema({"type": "object"})]


class FeatureAEConfig(DeepConfig):
    """Parameters of the feature autoencoder."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    encoder: Path | EncoderCard | Network | None = Field(
        None,
        description="what makes the features: a pretrained encoder (`medunsup.Encoder.load(folder)`), or the "
        "safetensors file of an `ae` trained with the same sizes; None draws a random encoder",
    )
    maps: tuple[int, ...] | None = Field(
        None,
        min_length=1,
        description="feature maps of a pretrained encoder that are rebuilt, by number, 0 the finest; None "
        "takes the finest three at half the resolution or coarser",
    )
    latent_dim: int = Field(
        128, ge=1, le=4096, description="length of the code of the features of a slice or volume"
    )

    @field_validator("encoder", mode="before")
    @classmethod
    def _network_of(cls, given: Any) -> Any:
        """Take the network out of an encoder as users hold it."""
        return getattr(given, "network", given)

    @field_serializer("encoder")
    def _as_card(self, given: Any) -> Any:
        """Write down which encoder it is; its weights become a part of the model."""
        return EncoderCard.of(given) if isinstance(given, pretrained.Encoder) else given


class FeatureAELearner(Learner):
    """A frozen encoder, and encoder and decoder of its features around a dense bottleneck."""

    def __init__(self, shape: Sequence[int], config: FeatureAEConfig) -> None:
        super().__init__()
        self.features = _features(shape, config)
        half = (self.features.outputs, *(side // 2 for side in shape[1:]))
        size = {"channels": WIDER * config.channels, "levels": config.levels - 1}
        self.encoder = Encoder(half, **size, outputs=config.latent_dim)
        self.decoder = Decoder(half, **size, inputs=config.latent_dim)
        self.learning_rate = config.learning_rate

    def dissimilarity(self, x: Tensor) -> Tensor:
        """Return one minus the similarity of features and their reconstruction, at half the size."""
        features = self.features(x)
        return 1 - structural_similarity(self.decoder(self.encoder(features)), features)

    def objectives(self) -> Sequence[Objective]:
        """One objective: encoder and decoder; the features stay as they are."""
        return [Objective("dissimilarity", self.halves, self.loss, Adam(self.learning_rate))]

    def halves(self) -> list[torch.nn.Parameter]:
        """Return the parameters of encoder and decoder."""
        return [*self.encoder.parameters(), *self.decoder.parameters()]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean dissimilarity of the features inside the masks."""
        dims = batch.values.ndim - 2
        inside = POOL[dims](batch.masks.to(batch.values.dtype), 2)
        return Loss(inside_mean(self.dissimilarity(batch.values), inside), {})


@register(
    "feature_ae",
    family="autoencoder",
    dims=(2, 3),
    paper="Meissen et al., Unsupervised anomaly localization with structural feature-autoencoders, "
    "BrainLes at MICCAI 2022, arXiv:2208.10992",
    limit="No finer than half the resolution, no better than the encoder its features come from, and several "
    "times slower than an autoencoder of voxels.",
)
class FeatureAE(DeepModel):
    """Autoencoder in the space of a frozen encoder, judged by structural similarity.

    Offers `encode` and `deviation`, a map of its own. A pretrained encoder is copied into the model and never
    trained there.

    Parameters
    ----------
    config : FeatureAEConfig, optional
        Parameters of the method, listed by `help(FeatureAE.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : Learner
        The trained networks.
    trained_ : Trained
        How the training ended: epochs run, which was best, its validation loss. Not there in a model that was
        read from a file.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    >>> sizes = {"channels": 2, "levels": 2, "latent_dim": 4, "epochs": 1}
    >>> detector = medunsup.Detector(model="feature_ae", score="deviation", model_params=sizes)
    >>> detector.fit(healthy).score_map(healthy).shape
    (4, 16, 16)
    """

    Config = FeatureAEConfig
    learner_: FeatureAELearner
    _pretrained: Path | None = None

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Train on the features of the frozen encoder.

        Raises
        ------
        InputError
            If the encoder's file does not fit the sizes.
        UsageError
            If the encoder has other dimensions or channels, not the feature maps asked for, or no weights.
        """
        given = self.config.encoder
        if isinstance(given, EncoderCard):
            raise UsageError(
                f"feature_ae: {given.name} is described here without its weights. Give the encoder itself: "
                f"{option('encoder')} of train, or medunsup.Encoder.load(folder)."
            )
        self._pretrained = given if isinstance(given, Path) else None
        return super().fit(scans, validation=validation, training=training)

    def build(self, shape: Sequence[int]) -> FeatureAELearner:
        """Make the networks; only training needs the encoder's file, a stored model holds its weights."""
        learner = FeatureAELearner(shape, self.config)
        if self._pretrained is not None and isinstance(learner.features, FrozenFeatures):
            learner.features.take(self._pretrained)
        return learner

    def encode(self, values: Array, mask: Mask) -> Array:
        """Return the code of one scan.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (P, D), float32
            One row for each slice that reaches into the mask, or one for the volume.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        learner = self.learner_
        return self.apply(lambda x, inside: learner.encoder(learner.features(x)), values, mask)

    def deviation(self, values: Array, mask: Mask) -> Array:
        """Return the mean dissimilarity of the features from their reconstruction.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (I, J, K), float32
            From 0 where they agree, higher is more anomalous, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """

        def enlarged(x: Tensor, inside: Tensor) -> Tensor:
            coarse = self.learner_.dissimilarity(x).mean(dim=1, keepdim=True)
            return functional.interpolate(coarse, x.shape[2:], mode=MODES[x.ndim - 2]) * inside

        return self.apply(enlarged, values, mask)[0]


def _features(shape: Sequence[int], config: FeatureAEConfig) -> FrozenFeatures | FrozenEncoder:
    """Make what sees the images: the encoder that is given, or convolutions of the sizes asked for.

    Raises UsageError if the encoder takes images of other dimensions or channels.
    """
    given = config.encoder
    if given is None or isinstance(given, Path):
        return FrozenFeatures(shape, channels=config.channels, levels=config.levels)
    if given.dims != config.dims or given.channels != shape[0]:
        raise UsageError(
            f"feature_ae: the encoder takes images of {given.channels} channels in {given.dims}D, these have "
            f"{shape[0]} in {config.dims}D. Set dims to {given.dims} and give such images, or pretrain an "
            "encoder on images like these."
        )
    return FrozenEncoder(given.build() if isinstance(given, EncoderCard) else given, config.maps)
