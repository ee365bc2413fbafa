"""Optimisers and schedules of their learning rate, as plain values that an objective names.

A schedule follows from the number of the step alone, so a resumed run needs nothing of it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import Any, Protocol

import torch
from torch import Tensor, nn

Groups = list[dict[str, Any]]
Schedule = Callable[[int, int], float]


class Optimizer(Protocol):
    """What an objective names: makes a torch optimiser for groups of parameters."""

    @property
    def learning_rate(self) -> float:
        """Step size before the schedule."""
        ...

    def make(self, groups: Groups) -> torch.optim.Optimizer:
        """Make the optimiser; each group brings its own weight decay."""
        ...


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba, ICLR 2015; weight decay is added to the gradient."""

    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)

    def make(self, groups: Groups) -> torch.optim.Optimizer:
        """Make the optimiser."""
        return torch.optim.Adam(groups, lr=self.learning_rate, betas=self.betas)


@dataclass(frozen=True)
class AdamW:
    """Loshchilov & Hutter, ICLR 2019: Adam whose weight decay is apart from the gradient."""

    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)

    def make(self, groups: Groups) -> torch.optim.Optimizer:
        """Make the optimiser."""
        return torch.optim.AdamW(groups, lr=self.learning_rate, betas=self.betas)


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum; weight decay is added to the gradient."""

    learning_rate: float
    momentum: float = 0.9
    nesterov: bool = False

    def make(self, groups: Groups) -> torch.optim.Optimizer:
        """Make the optimiser."""
        return torch.optim.SGD(groups, lr=self.learning_rate, momentum=self.momentum, nesterov=self.nesterov)


@dataclass(frozen=True)
class LARS:
    """You et al., arXiv:1708.03888: momentum whose step in each tensor is in proportion to its norm.

    Tensors of one axis (biases, norms) take plain steps with momentum, as is usual for large batches.
    """

    learning_rate: float
    momentum: float = 0.9
    trust: float = 1e-3

    def make(self, groups: Groups) -> torch.optim.Optimizer:
        """Make the optimiser."""
        return _LARS(groups, lr=self.learning_rate, momentum=self.momentum, trust=self.trust)


class _LARS(torch.optim.Optimizer):
    def __init__(self, groups: Groups, *, lr: float, momentum: float, trust: float) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "trust": trust, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return loss

    def _move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        change = parameter.grad + group["weight_decay"] * parameter
        if parameter.ndim > 1:
            size, step = parameter.norm(), change.norm()
            change = change * torch.where((size > 0) & (step > 0), group["trust"] * size / step, 1.0)
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].mul_(group["momentum"]).add_(change)
        parameter.sub_(group["lr"] * state["momentum"])


@dataclass(frozen=True)
class Constant:
    """The same learning rate throughout."""

    def __call__(self, step: int, steps: int) -> float:
        """Return the factor of the learning rate at `step` of `steps`, which counts from 0."""
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """Rise linearly over the first `warmup` (share of all steps), then fall as a cosine to `last`."""

    warmup: float = 0.0
    last: float = 0.0

    def __call__(self, step: int, steps: int) -> float:
        """Return the factor of the learning rate at `step` of `steps`, which counts from 0."""
        rising = round(self.warmup * steps)
        if step < rising:
            return (step + 1) / rising
        way = (step - rising) / max(1, steps - rising)
        return self.last + (1 - self.last) * 0.5 * (1 + cos(pi * way))


@dataclass(frozen=True)
class Steps:
    """Multiply by `factor` at each of the shares of all steps in `at`."""

    at: Sequence[float] = (0.6, 0.8)
    factor: float = 0.1

    def __call__(self, step: int, steps: int) -> float:
        """Return the factor of the learning rate at `step` of `steps`, which counts from 0."""
        return self.factor ** sum(step >= share * steps for share in self.at)


def groups_of(parameters: Iterable[nn.Parameter], weight_decay: float, *, decay_all: bool) -> Groups:
    """Group parameters for an optimiser; those of one axis (biases, norms) decay only if all do."""
    every = list(parameters)
    if decay_all or not weight_decay:
        return [{"params": every, "weight_decay": weight_decay}]
    weights = [parameter for parameter in every if parameter.ndim > 1]
    others = [parameter for parameter in every if parameter.ndim <= 1]
    split = [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in split if group["params"]]
