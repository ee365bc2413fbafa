"""How TURTLE's labelling and its classifier are learned in turns."""

from typing import Any

import torch
from torch import Tensor

from medunsup.clustering.deep.assignment_losses import marginal_entropy
from medunsup.clustering.deep.share_heads import ShareHead, draw_weights
from medunsup.core.watching import passed


def learn(head: ShareHead, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Draw and learn the head's weights from values (N, D); return the objective of each step."""
    draw_weights(head, generator)
    outer = torch.optim.Adam(head.parameters(), config.learning_rate)
    with_one = torch.cat([values, values.new_ones(len(values), 1)], 1)
    classifier = values.new_zeros(with_one.shape[1], head.last.out_features)
    step = longest_step(with_one)
    losses = []
    for _ in range(config.iterations):
        batch = draw_batch(with_one, config.batch_size, generator)
        log_shares = head(batch[:, :-1])
        classifier = descend(classifier, batch, log_shares.detach().exp(), step, config.inner_steps)
        learned = torch.log_softmax(batch @ classifier, -1)
        loss = soft_cross_entropy(learned, log_shares.exp()) - config.balance * marginal_entropy(log_shares)
        outer.zero_grad()
        loss.backward()
        outer.step()
        losses.append(loss.item())
        passed(losses[-1])
    return losses


def descend(classifier: Tensor, batch: Tensor, target: Tensor, step: float, n_steps: int) -> Tensor:
    """Return weights (D, K) of a linear classifier after steps down its cross-entropy."""
    for _ in range(n_steps):
        slope = batch.T @ (torch.softmax(batch @ classifier, -1) - target)
        classifier = classifier - step / len(batch) * slope
    return classifier


def longest_step(values: Tensor) -> float:
    """Return the step of gradient descent that is safe: 1 over the largest curvature of the cross-entropy."""
    curvature = torch.linalg.eigvalsh((values.T @ values).double() / len(values))[-1] / 2
    return 1 / curvature.item()


def soft_cross_entropy(log_shares: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy of log shares (B, K) with target shares (B, K)."""
    return -(target * log_shares).sum(-1).mean()


def draw_batch(values: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return `size` of the rows of values (N, D), drawn without putting back; all if there are no more."""
    if len(values) <= size:
        return values
    return values[torch.randperm(len(values), generator=generator)[:size]]
