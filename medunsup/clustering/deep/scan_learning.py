"""SCAN's two stages: heads that agree with neighbours, then the best learns from its own sure labels."""

from typing import Any

import torch
from torch import Tensor

from medunsup.clustering.deep.assignment_losses import (
    confident_cross_entropy,
    marginal_entropy,
    neighbour_consistency,
)
from medunsup.clustering.deep.share_heads import ShareHead, draw_weights
from medunsup.clustering.neighbour_graph import exact_neighbours
from medunsup.core.watching import passed

LAST = 5  # epochs whose mean loss says how well a head does


def learn(
    head: ShareHead, values: Tensor, config: Any, generator: torch.Generator, neighbours: int
) -> list[float]:
    """Draw and learn the head's weights from values (N, D); return the loss of each epoch of all stages.

    Several heads are learned from neighbours, and the one of the least loss goes on, as in the paper.
    """
    near = torch.from_numpy(exact_neighbours(values.double().numpy(), neighbours)[0])

    def consistency(batch: Tensor) -> Tensor:
        drawn = torch.randint(near.shape[1], (len(batch),), generator=generator)
        log_shares, of_near = head(values[batch]), head(values[near[batch, drawn]])
        return neighbour_consistency(log_shares, of_near) - config.balance * marginal_entropy(log_shares)

    def self_label(batch: Tensor) -> Tensor:
        with torch.no_grad():
            sure, labels = head(values[batch]).exp().max(-1)
        noise = torch.randn(values[batch].shape, generator=generator)
        logits = head.logits(values[batch] + config.noise * noise)
        return confident_cross_entropy(logits, labels, sure > config.confidence)

    curve: list[float] = []
    least, best = float("inf"), head.state_dict()
    for _ in range(config.heads):
        draw_weights(head, generator)
        optimizer = torch.optim.Adam(head.parameters(), config.learning_rate)
        curve += [one_epoch(optimizer, consistency, values, config, generator) for _ in range(config.epochs)]
        last = curve[-config.epochs :][-LAST:]
        if (loss := sum(last) / len(last)) < least:
            least, best = loss, {name: weights.clone() for name, weights in head.state_dict().items()}
    head.load_state_dict(best)
    optimizer = torch.optim.Adam(head.parameters(), config.learning_rate)
    epochs = range(config.label_epochs)
    return curve + [one_epoch(optimizer, self_label, values, config, generator) for _ in epochs]


def one_epoch(
    optimizer: torch.optim.Optimizer, loss_of: Any, values: Tensor, config: Any, generator: torch.Generator
) -> float:
    """Take a step for each batch of rows, in an order drawn anew; return the mean loss."""
    losses = []
    for batch in torch.randperm(len(values), generator=generator).split(config.batch_size):
        loss = loss_of(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    mean = sum(losses) / len(losses)
    passed(mean)
    return mean
