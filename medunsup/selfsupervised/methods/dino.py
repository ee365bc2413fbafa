"""DINO: a student says of small views what its moving average says of large ones."""

from collections.abc import Sequence
from math import ceil, log
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.heads import NormedProjector, Prototypes
from medunsup.selfsupervised.augmentations.multi_crop import multi_crop
from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.losses.dino import dino, updated_center
from medunsup.selfsupervised.momentum import follow, rising, teacher_of
from medunsup.selfsupervised.views import ViewsConfig
from medunsup.training.learner import Batch, Embeddings, Loss, Objective, Sharing, StepProgress

LARGE = 2


class DINOConfig(ViewsConfig):
    """Parameters of DINO."""

    batch_size: int = Field(32, ge=2, description="items in each step")
    local_views: int = Field(4, ge=0, le=16, description="small views of an item, beside two large ones")
    local_share: float = Field(
        0.3, gt=0, lt=1, description="largest share of the area or volume in a small view"
    )
    local_sides: float = Field(
        0.5, gt=0, le=1, description="sides of small views, a share of those of large ones"
    )
    projection_dim: int = Field(64, ge=2, le=4096, description="length of what is compared with prototypes")
    prototypes: int = Field(128, ge=2, le=65536, description="number of prototypes (paper: 65536)")
    temperature: float = Field(0.1, gt=0, le=10, description="what the student's similarities are divided by")
    teacher_temperature: float = Field(
        0.04, gt=0, le=10, description="the same of the teacher, lower than the student's"
    )
    momentum: float = Field(
        0.98,
        ge=0,
        lt=1,
        description="share of the teacher that a step keeps at first; rises to 1 (paper: 0.996)",
    )
    center_momentum: float = Field(0.9, ge=0, lt=1, description="share of the centre that a step keeps")


class DINOLearner(PretrainLearner):
    """Student and teacher, each an encoder, a projector with batch norm and prototypes.

    `encoder` is the teacher's, which is the better one. Projectors see the whole batch.
    """

    kind: ClassVar[Kind] = "distillation"
    center: Tensor

    def __init__(self, shape: tuple[int, ...], config: DINOConfig) -> None:
        super().__init__(shape, config)
        self.student, self.encoder = self.encoder, teacher_of(self.encoder)
        self.projector = NormedProjector(self.student.n_features, config.projection_dim)
        self.prototypes = Prototypes(config.projection_dim, config.prototypes)
        self.teacher_projector = teacher_of(self.projector)
        self.teacher_prototypes = teacher_of(self.prototypes)
        self.register_buffer("center", torch.zeros(config.prototypes))
        self._said: Tensor | None = None

    @property
    def guessing(self) -> float:
        """Loss of uniform probabilities."""
        return log(self.config.prototypes)

    def objectives(self) -> Sequence[Objective]:
        """Return one joint objective."""
        return [self.objective("dino", self.loss, embed=self.embed)]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Make two large views of each item and several small ones."""
        config, (view,) = self.config, batch.views
        views = multi_crop(
            view,
            generator,
            config.augmentations,
            n_global=LARGE,
            n_local=config.local_views,
            local_size=tuple(ceil(config.local_sides * side) for side in view.values.shape[2:]),
            local_share=config.local_share,
        )
        return batch.shown_as(views)

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        """Return the teacher's features of large views, then the student's of all."""
        with torch.no_grad():
            taught = [self.encoder.features(view.values, view.masks) for view in batch.views[:LARGE]]
        return (*taught, *(self.student.features(view.values, view.masks) for view in batch.views))

    def loss(self, features: Embeddings, generator: torch.Generator) -> Loss:
        """Cross-entropy of the student's probabilities under the teacher's, over pairs of different views."""
        config, n = self.config, len(features[0])
        with torch.no_grad():
            said = self.teacher_prototypes(self.teacher_projector(torch.cat(features[:LARGE])))
        heard = self.prototypes(self.projector(torch.cat(features[LARGE:])))
        self._said = said.float() if self.training else None
        loss = dino(
            heard.split(n),
            said.split(n),
            self.center,
            teacher_temperature=config.teacher_temperature,
            student_temperature=config.temperature,
        )
        return Loss(loss, {})

    def after_step(self, progress: StepProgress) -> None:
        """Move the centre to what the teacher said, and the teacher towards the student."""
        assert self._said is not None
        self.center.copy_(updated_center(self.center, [self._said], momentum=self.config.center_momentum))
        momentum = rising(self.config.momentum, progress.fraction)
        follow(self.encoder, self.student, momentum)
        follow(self.teacher_projector, self.projector, momentum)
        follow(self.teacher_prototypes, self.prototypes, momentum)

    def sharing(self, buffer: str) -> Sharing:
        """Every process makes the same centre of the whole batch."""
        return "same" if buffer == "center" else super().sharing(buffer)

    def embedded_views(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Project two large views of each item, as the student does."""
        one, other = self.augment(batch, generator).views[:LARGE]
        return (
            self.projector(self.student.features(one.values, one.masks)),
            self.projector(self.student.features(other.values, other.masks)),
        )

    def teacher_probabilities(self, batch: Batch) -> Tensor:
        """Return what the teacher says of each item."""
        rows = self.teacher_projector(self.encoder.features(batch.values, batch.masks))
        logits = self.teacher_prototypes(rows) - self.center
        return (logits / self.config.teacher_temperature).softmax(dim=1)


@register(
    "dino",
    family="distillation",
    dims=(2, 3),
    paper="Caron et al., Emerging properties in self-supervised vision transformers, ICCV 2021, "
    "arXiv:2104.14294",
    limit="Its balance of centring and sharpening is fragile: watch the teacher's entropy.",
)
class DINO(SelfSupervised):
    """A student says of small views of an item what its moving average says of large ones.

    Parameters
    ----------
    config : DINOConfig, optional
        Parameters of the method, listed by `help(DINO.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : DINOLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder, that of the teacher.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import DINO, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = DINO(DINO.Config(epochs=1, batch_size=4, local_views=2)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = DINOConfig
    learner_: DINOLearner

    def build(self, shape: tuple[int, ...]) -> DINOLearner:
        """Make student and teacher."""
        return DINOLearner(shape, self.config)
