"""The smallest learners there are, to test the loop with."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medunsup.training.learner import Batch, Learner, Loss, Objective, StepProgress
from medunsup.training.optimizers import Adam


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
        self.batches += 1

    def _one(self, batch: Batch, generator: torch.Generator) -> Loss:
        self._note("one")
        return Loss((self.one - batch.values.mean()).square().sum(), {})

    def _other(self, batch: Batch, generator: torch.Generator) -> Loss:
        self._note("other")
        return Loss((self.other - self.one).square().sum(), {"gap": (self.other - self.one).detach().sum()})

    def _note(self, name: str) -> None:
        self.taken.append((name, self.one.requires_grad, self.other.requires_grad))
