"""y-aware contrast: whose covariate, such as the age, is alike is no negative."""

from math import log
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.core.registry import register
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.losses.y_aware import y_aware
from medunsup.selfsupervised.two_views import TwoViewsConfig, TwoViewsLearner
from medunsup.training.datasets import Dataset
from medunsup.training.learner import Batch, Embeddings
from medunsup.training.scan_stack import Scans
from medunsup.training.transforms import TransformOrMany


class YAwareConfig(TwoViewsConfig):
    """Parameters of y-aware contrast."""

    temperature: float = Field(0.1, ge=0.01, le=10, description="what similarities are divided by")
    bandwidth: float = Field(
        5.0, gt=0, description="difference of covariates, in their unit, at which a weight has fallen to 61 %"
    )


class YAwareLearner(TwoViewsLearner):
    """Encoder and projector; views of items with like covariates are positives by weight."""

    loss_name: ClassVar[str] = "y_aware"

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return log(2 * self.config.batch_size - 1)

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        """Return the embeddings of both views, and the covariates of each item."""
        first, second, _ = super().embed(batch, generator)
        assert batch.covariates is not None  # the data set was checked
        return first, second, batch.covariates.to(first.device)

    def compare(self, first: Tensor, second: Tensor, covariates: Tensor) -> Tensor:
        """Cross-entropy towards all views, weighted by how close their covariates (N, P) are."""
        config = self.config
        return y_aware(first, second, covariates, bandwidth=config.bandwidth, temperature=config.temperature)


@register(
    "y_aware",
    family="contrastive",
    dims=(2, 3),
    paper="Dufumier et al., Contrastive learning with continuous proxy meta-data for 3D MRI classification, "
    "MICCAI 2021, arXiv:2106.08808",
    limit="Features follow the covariate, so they are no fair judge of what depends on it.",
)
class YAware(SelfSupervised):
    """Views of items are alike by how close their covariates are, such as the ages of two subjects.

    Parameters
    ----------
    config : YAwareConfig, optional
        Parameters of the method, listed by `help(YAware.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : YAwareLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Scans, YAware
    >>> values = np.random.default_rng(0).random((8, 1, 16, 16, 1), dtype=np.float32)
    >>> images = Scans(values, values[:, 0] > 0, covariates=np.linspace(20, 80, 8))
    >>> method = YAware(YAware.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = YAwareConfig
    takes_covariates = True
    learner_: YAwareLearner

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make what batches are taken from. Raises UsageError for scans without covariates."""
        if scans.covariates is None:
            raise UsageError(
                "y_aware compares by a covariate, and nothing is known of these scans. Give "
                "Scans(values, masks, covariates=ages); without any, simclr is the same method."
            )
        return super().dataset(scans, transform)

    def build(self, shape: tuple[int, ...]) -> YAwareLearner:
        """Make encoder and projector."""
        return YAwareLearner(shape, self.config)
