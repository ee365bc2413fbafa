"""What both versions of MoCo share: a teacher that encodes keys, and a queue of them."""

from collections.abc import Callable, Sequence
from math import log
from typing import ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.losses.info_nce import info_nce
from medunsup.selfsupervised.momentum import follow, teacher_of
from medunsup.selfsupervised.views import ViewsConfig, two_views
from medunsup.training.learner import Batch, Embeddings, Loss, Objective, Sharing, StepProgress

NOBODY = -1


class MoCoConfig(ViewsConfig):
    """Parameters of momentum contrast."""

    batch_size: int = Field(64, ge=2, description="items in each step, which enter the queue after it")
    projection_dim: int = Field(64, ge=2, le=4096, description="length of the embeddings that are compared")
    temperature: float = Field(0.2, ge=0.01, le=10, description="what similarities are divided by")
    queue_size: int = Field(
        1024,
        ge=2,
        le=2**20,
        description="keys that are kept as negatives, no fewer than a batch (paper: 65536)",
    )
    momentum: float = Field(
        0.99, ge=0, lt=1, description="share of the teacher that a step keeps (paper, with many more: 0.999)"
    )

    @model_validator(mode="after")
    def _queue_takes_a_batch(self) -> Self:
        if self.queue_size < self.batch_size:
            raise UsageError(
                f"queue_size {self.queue_size} is less than a batch of {self.batch_size}. Give more keys."
            )
        return self


class MoCoLearner(PretrainLearner):
    """Encoder and `head`, teachers of both, and the queue with the subject of each key.

    Neither head nor encoders hold batch norm, by which an item could be recognised from its batch.
    """

    kind: ClassVar[Kind] = "contrastive"
    queue: Tensor
    queue_subjects: Tensor
    pointer: Tensor

    def __init__(
        self, shape: tuple[int, ...], config: MoCoConfig, *, head: Callable[[int, int], nn.Module]
    ) -> None:
        super().__init__(shape, config)
        self.projector = head(self.encoder.n_features, config.projection_dim)
        self.teacher, self.teacher_projector = teacher_of(self.encoder), teacher_of(self.projector)
        rows = torch.randn(config.queue_size, config.projection_dim)
        self.register_buffer("queue", functional.normalize(rows, dim=1))
        self.register_buffer("queue_subjects", torch.full((config.queue_size,), NOBODY))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.long))
        self._new: tuple[Tensor, Tensor] | None = None

    @property
    def guessing(self) -> float:
        """Loss of equal embeddings."""
        return log(self.config.queue_size + 1)

    def objectives(self) -> Sequence[Objective]:
        """Return one joint objective."""
        return [self.objective("info_nce", self.loss, embed=self.embed)]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Make two views of each item."""
        return two_views(batch, generator, self.config.augmentations)

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        """Return queries of first views, the teacher's keys of second ones, and whose each item is."""
        first, second = batch.views
        queries = self.projector(self.encoder.features(first.values, first.masks))
        with torch.no_grad():
            keys = self.teacher_projector(self.teacher.features(second.values, second.masks))
        return queries, keys, batch.subjects.to(keys.device)

    def loss(self, embeddings: Embeddings, generator: torch.Generator) -> Loss:
        """InfoNCE; keys of an item's own subject are no negatives. Subjects of validation are never there."""
        queries, keys, subjects = embeddings
        self._new = (keys.detach(), subjects) if self.training else None
        whose = self.queue_subjects if self.training else None
        loss = info_nce(
            queries,
            keys,
            self.queue,
            temperature=self.config.temperature,
            subjects=subjects,
            queue_subjects=whose,
        )
        return Loss(loss, {})

    def after_step(self, progress: StepProgress) -> None:
        """Put the batch's keys into the queue, and move the teachers."""
        assert self._new is not None
        keys, subjects = self._new
        places = (self.pointer + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue[places] = functional.normalize(keys, dim=1).to(self.queue)
        self.queue_subjects[places] = subjects
        self.pointer.add_(len(keys)).remainder_(len(self.queue))
        follow(self.teacher, self.encoder, self.config.momentum)
        follow(self.teacher_projector, self.projector, self.config.momentum)

    def sharing(self, buffer: str) -> Sharing:
        """Every process makes the same queue of the gathered keys."""
        return "same" if buffer in ("queue", "queue_subjects", "pointer") else super().sharing(buffer)

    def embedded_views(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Embed two views of each item, both as queries."""
        first, second = self.augment(batch, generator).views
        return (
            self.projector(self.encoder.features(first.values, first.masks)),
            self.projector(self.encoder.features(second.values, second.masks)),
        )
