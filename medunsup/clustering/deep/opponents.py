"""What methods with networks that play against one another share."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.core.watching import passed

Steps = Sequence[tuple[torch.optim.Optimizer, Callable[[Tensor], Tensor]]]


def game(steps: Steps, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Let each optimiser in turn take a step on each batch of values (N, D), in an order drawn each epoch.

    Returns the mean of the first loss in each epoch.
    """
    curve = []
    for _ in range(config.epochs):
        losses = []
        for batch in torch.randperm(len(values), generator=generator).split(config.batch_size):
            found = []
            for optimizer, loss_of in steps:
                loss = loss_of(values[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                found.append(loss.item())
            losses.append(found[0])
        curve.append(sum(losses) / len(losses))
        passed(curve[-1])
    return curve


def adam(learning_rate: float, *modules: nn.Module) -> torch.optim.Optimizer:
    """Return Adam with the momentum 0.5 that DCGAN takes."""
    weights = [one for module in modules for one in module.parameters()]
    return torch.optim.Adam(weights, learning_rate, betas=(0.5, 0.999))


def one_hot(n: int, n_clusters: int, generator: torch.Generator) -> Tensor:
    """Draw n clusters evenly; return them as (n, K) of zeros and a one each."""
    drawn = torch.randint(n_clusters, (n,), generator=generator)
    return functional.one_hot(drawn, n_clusters).float()


def like(module: nn.Module, values: Tensor) -> Tensor:
    """Return values in the precision of the module's weights."""
    return values.to(next(module.parameters()).dtype)
