"""The smallest learners there are, to test the loop with."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.training.learner import (
    Batch,
    Embeddings,
    Learner,
    Loss,
    Objective,
    Sharing,
    StepProgress,
    View,
)
from medunsup.training.optimizers import SGD, Adam, AdamW, Cosine, Optimizer


class Denoiser(Learner):
    """One convolution that removes noise, with dropout: it draws from both sources of chance."""

    def __init__(self, seed: int = 0, learning_rate: float = 1e-2) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Dropout(0.1), nn.Conv2d(4, 1, 1))
        self.learning_rate = learning_rate

    def objectives(self) -> Sequence[Objective]:
        return [Objective("denoising", self.parameters, self.loss, Adam(self.learning_rate))]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        noise = 0.1 * torch.randn(batch.values.shape, generator=generator)
        error = (self.network(batch.values + noise) - batch.values).square()
        return Loss(error.mean(), {"largest": error.detach().amax()})

    def reconstruct(self, x: Tensor, masks: Tensor) -> Tensor:
        return self.network(x) * masks


class Duel(Learner):
    """Two numbers; the first is drawn to the data's mean, the second to it, at each third batch, late."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))
        self.taken: list[tuple[str, bool, bool]] = []

    def objectives(self) -> Sequence[Objective]:
        return [
            Objective("one", lambda: [self.one], self._one, Adam(0.1)),
            Objective("other", lambda: [self.other], self._other, Adam(0.1), every=3),
        ]

    def is_due(self, objective: Objective, progress: float) -> bool:
        return objective.name == "one" or progress >= 0.5

    def after_step(self, progress: StepProgress) -> None:
        assert not torch.is_grad_enabled()
        self.batches += 1

    def _one(self, batch: Batch, generator: torch.Generator) -> Loss:
        self._note("one")
        return Loss((self.one - batch.values.mean()).square().sum(), {})

    def _other(self, batch: Batch, generator: torch.Generator) -> Loss:
        self._note("other")
        return Loss((self.other - self.one).square().sum(), {"gap": (self.other - self.one).detach().sum()})

    def _note(self, name: str) -> None:
        self.taken.append((name, self.one.requires_grad, self.other.requires_grad))


class Contrast(Learner):
    """NT-Xent between two views; its temperature is learned, and no two slices of one scan are negatives."""

    def __init__(self, optimizer: Optimizer | None = None, *, joint: bool = True) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = nn.Sequential(
                nn.Conv2d(1, 4, 3, stride=2), nn.SiLU(), nn.Flatten(), nn.LazyLinear(6)
            )
            self.network(torch.zeros(1, 1, 16, 16))
        self.sharpness = nn.Parameter(torch.tensor(2.0))
        self.optimizer = optimizer or SGD(0.1)
        self.is_joint = joint

    def objectives(self) -> Sequence[Objective]:
        if self.is_joint:
            return [Objective("nt_xent", self.parameters, self.loss, self.optimizer, embed=self.embed)]
        return [Objective("nt_xent", self.parameters, self.piece_loss, self.optimizer)]

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        one, other = (functional.normalize(self.network(view.values), dim=1) for view in batch.views)
        return one, other, batch.scans

    def loss(self, embeddings: Embeddings, generator: torch.Generator) -> Loss:
        one, other, scans = embeddings
        z, whose, n = torch.cat([one, other]), torch.cat([scans, scans]), len(one)
        partner = torch.arange(2 * n).roll(n)
        is_left_out = whose[:, None] == whose[None]
        is_left_out[torch.arange(2 * n), partner] = False
        logits = (self.sharpness * z @ z.T).masked_fill(is_left_out, -torch.inf)
        return Loss(functional.cross_entropy(logits, partner), {"items": torch.tensor(float(n))})

    def piece_loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        return self.loss(self.embed(batch, generator), generator)


class Teacher(Learner):
    """A student follows its moving average on noisy views; a queue keeps the teacher's last codes.

    Each piece of a batch moves the centre for itself.
    """

    def __init__(self, length: int = 10) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.student = nn.Sequential(nn.Flatten(), nn.Linear(256, 4), nn.BatchNorm1d(4))
            self.teacher = nn.Sequential(nn.Flatten(), nn.Linear(256, 4)).requires_grad_(False)
            self.register_buffer("queue", torch.randn(length, 4))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.long))
        self.register_buffer("centre", torch.zeros(4))
        self.codes: Tensor | None = None

    def objectives(self) -> Sequence[Objective]:
        optimizer, schedule = AdamW(1e-2), Cosine(warmup=0.3)
        return [
            Objective(
                "follow", self.student.parameters, self.loss, optimizer, schedule, 0.1, embed=self.embed
            ),
            Objective("centred", self.student.parameters, self.centred, optimizer),
        ]

    def sharing(self, buffer: str) -> Sharing:
        ways: dict[str, Sharing] = {"queue": "same", "pointer": "same", "centre": "mean"}
        return ways.get(buffer) or super().sharing(buffer)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        noises = [torch.randn(batch.values.shape, generator=generator) for _ in range(2)]
        views = [View(batch.values + 0.1 * noise, batch.masks) for noise in noises]
        return Batch.of_views(views, batch.scans)

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        one, other = batch.views
        with torch.no_grad():
            codes = self.teacher(other.values)
        return self.student(one.values), codes

    def loss(self, embeddings: Embeddings, generator: torch.Generator) -> Loss:
        made, codes = embeddings
        self.codes = codes.detach()
        away = (made @ self.queue.T).square().mean()
        return Loss((made - codes).square().mean() + 0.1 * away, {"away": away.detach()})

    def centred(self, batch: Batch, generator: torch.Generator) -> Loss:
        made = self.student(batch.values)
        self.centre = 0.9 * self.centre + 0.1 * made.detach().mean(dim=0)
        return Loss(0.1 * (made - self.centre).square().mean(), {})

    def after_step(self, progress: StepProgress) -> None:
        momentum = 0.9 + 0.1 * progress.fraction
        for kept, now in zip(self.teacher.parameters(), self.student.parameters(), strict=False):
            kept.lerp_(now, 1 - momentum)
        places = (self.pointer + torch.arange(len(self.codes))) % len(self.queue)
        self.queue[places] = self.codes
        self.pointer.add_(len(self.codes)).remainder_(len(self.queue))


class NormInLoss(Contrast):
    """The loss holds a batch norm, and counts its calls; `embed` counts the items that it sees."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.norm = nn.BatchNorm1d(6)
        self.register_buffer("losses", torch.zeros(()))
        self.register_buffer("embedded", torch.zeros(()))

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        self.embedded += len(batch)
        return super().embed(batch, generator)

    def loss(self, embeddings: Embeddings, generator: torch.Generator) -> Loss:
        one, other, scans = embeddings
        self.losses += 1
        normed = functional.normalize(self.norm(torch.cat([one, other])), dim=1)
        return super().loss((*normed.chunk(2), scans), generator)


class NormInBoth(NormInLoss):
    """The same norm is in `embed` too."""

    def embed(self, batch: Batch, generator: torch.Generator) -> Embeddings:
        one, other, scans = super().embed(batch, generator)
        return self.norm(one), self.norm(other), scans


class Doubtful(Teacher):
    """Each process makes something else of its buffer; the first one's holds."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("whose", torch.full((), -1.0))

    def after_step(self, progress):
        super().after_step(progress)
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        assert float(self.whose) in (-1, 0)  # what the other process made of it is gone
        self.whose = torch.tensor(float(rank))
