"""TEMI: students and their slow teachers share as much information as they can over pairs of neighbours."""

from typing import Any

import torch
from torch import Tensor

from medunsup.clustering.deep.assignment_losses import pointwise_information
from medunsup.clustering.deep.share_heads import TEMPERATURE, ManyHeads, draw_weights
from medunsup.clustering.neighbour_graph import exact_neighbours
from medunsup.core.watching import passed


def learn(
    heads: ManyHeads, values: Tensor, config: Any, generator: torch.Generator, neighbours: int
) -> list[float]:
    """Draw and learn the heads' weights from values (N, D); return the loss of each step.

    The teacher of the head with the least loss of the last steps is kept.
    """
    draw_weights(heads, generator)
    teachers = ManyHeads(*heads.sizes)
    teachers.load_state_dict(heads.state_dict())
    near = torch.from_numpy(exact_neighbours(values.double().numpy(), neighbours)[0])
    prior = values.new_full((len(heads.into), 1, heads.out.shape[2]), 1 / heads.out.shape[2])
    of_heads = values.new_zeros(len(heads.into))
    weights = [one for one in heads.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(weights, config.learning_rate, weight_decay=1e-4)

    def step(batch: Tensor) -> Tensor:
        drawn = torch.randint(near.shape[1], (len(batch),), generator=generator)
        pair = values[batch], values[near[batch, drawn]]
        follow(teachers, heads, config.momentum)
        with torch.no_grad():
            by_teachers = [log_shares(teachers, one) for one in pair]
            seen = torch.cat([one.exp() for one in by_teachers], 1).mean(1, keepdim=True)
            prior.mul_(0.9).add_(seen, alpha=0.1)
        students = [log_shares(heads, one) for one in pair]
        losses = mutual_loss(students, by_teachers, prior.log(), config.beta)
        of_heads.mul_(0.95).add_(losses.detach(), alpha=0.05)
        return losses.mean()

    curve = []
    for _ in range(config.iterations):
        loss = step(torch.randperm(len(values), generator=generator)[: config.batch_size])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
        passed(curve[-1])
    heads.load_state_dict(teachers.state_dict())
    heads.best.fill_(int(of_heads.argmin()))
    return curve


def mutual_loss(students: list[Tensor], teachers: list[Tensor], log_prior: Tensor, beta: float) -> Tensor:
    """Return the loss (H,) of each head from the log shares (H, B, K) of a row and its neighbour.

    Pairs that the teachers, over all heads, see in one cluster weigh more (Adaloglou et al. 2023, equation
    8).
    """
    weights = (teachers[0] + teachers[1]).exp().sum(-1).mean(0)
    one = pointwise_information(students[0], teachers[1], log_prior, beta)
    other = pointwise_information(students[1], teachers[0], log_prior, beta)
    return -(weights * (one + other) / 2).mean(-1)


def log_shares(heads: ManyHeads, values: Tensor) -> Tensor:
    """Return log shares (H, B, K) of all heads."""
    return torch.log_softmax(heads.logits(values) / TEMPERATURE, -1)


@torch.no_grad()
def follow(teachers: ManyHeads, students: ManyHeads, momentum: float) -> None:
    """Move the teachers a little towards their students."""
    for teacher, student in zip(teachers.parameters(), students.parameters(), strict=True):
        if teacher.is_floating_point():
            teacher.lerp_(student, 1 - momentum)
