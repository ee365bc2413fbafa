"""Restricted Boltzmann machines on one another, learned by contrastive divergence."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from medunsup.core.watching import passed

BEGIN = 0.01  # standard deviation of the weights, as Hinton (2010) has it


class Machines(nn.Module):
    """A stack of machines: the first sees values of standard deviation 1, the others units of 0 or 1."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([torch.zeros(pair) for pair in pairs])
        self.hidden = nn.ParameterList([torch.zeros(pair[1]) for pair in pairs])
        self.seen = nn.ParameterList([torch.zeros(pair[0]) for pair in pairs])

    def features(self, values: Tensor) -> Tensor:
        """Return the log odds of the last machine's units (B, code)."""
        return self.up(values, len(self.weights))

    def up(self, values: Tensor, n: int) -> Tensor:
        """Return the log odds of the units of the n-th machine, from 1."""
        found = values @ self.weights[0] + self.hidden[0]
        for weights, hidden in zip(self.weights[1:n], self.hidden[1:n], strict=True):
            found = torch.sigmoid(found) @ weights + hidden
        return found


def learn(network: Machines, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Learn the machines one after another; return the mean squared error of each epoch's reconstructions."""
    curve: list[float] = []
    with torch.no_grad():
        for n, weights in enumerate(network.weights):
            weights.normal_(0, BEGIN, generator=generator)
            seen = values if n == 0 else torch.sigmoid(network.up(values, n))
            rate = config.learning_rate / (10 if n == 0 else 1)  # values without bounds need small steps
            for _ in range(config.epochs):
                curve.append(_epoch(network, n, seen, rate, config, generator))
                passed(curve[-1])
    return curve


def _epoch(
    network: Machines, n: int, values: Tensor, rate: float, config: Any, generator: torch.Generator
) -> float:
    weights, hidden, seen = network.weights[n], network.hidden[n], network.seen[n]
    errors = []
    for batch in torch.randperm(len(values), generator=generator).split(config.batch_size):
        given = values[batch]
        first = torch.sigmoid(given @ weights + hidden)
        units = torch.bernoulli(first, generator=generator)
        back = units @ weights.T + seen
        again = back if n == 0 else torch.sigmoid(back)
        second = torch.sigmoid(again @ weights + hidden)
        weights += rate * (given.T @ first - again.T @ second) / len(batch)
        hidden += rate * (first - second).mean(0)
        seen += rate * (given - again).mean(0)
        errors.append(float((given - again).square().mean()))
    return sum(errors) / len(errors)
