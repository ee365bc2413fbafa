"""How adaptive clustering learns from pairs, and how its thresholds move."""

from typing import Any

import torch
from torch import Tensor, nn

from medunsup.clustering.deep.assignment_losses import adaptive_pairs, pair_similarity
from medunsup.clustering.deep.scan_learning import one_epoch
from medunsup.clustering.deep.share_heads import draw_weights

UPPER, LOWER = 0.95, 0.455  # at the start, as in the paper; they meet at 0.5
LAST = 0.45


class Network(nn.Module):
    """A body and a linear layer whose logits are standardised over the batch while it learns."""

    def __init__(self, body: nn.Module, shape: tuple[int, ...], n_clusters: int, config: Any) -> None:
        super().__init__()
        self.features = body
        self.last = nn.Linear(config.width, n_clusters)
        self.standard = nn.BatchNorm1d(n_clusters)

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K)."""
        return torch.log_softmax(self.standard(self.last(self.features(values))), -1)


def thresholds(progress: float) -> tuple[float, float]:
    """Return both thresholds at a progress in [0, 1]: .95 and .455 first, both .5 at last."""
    moved = LAST * progress
    return UPPER - moved, LOWER + 0.1 * moved


def learn(network: Network, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Draw and learn the weights from values (N, D); return the loss of each epoch."""
    draw_weights(network, generator)
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)
    curve = []
    for epoch in range(config.epochs):
        upper, lower = thresholds(epoch / config.epochs)

        def loss(batch: Tensor, upper: float = upper, lower: float = lower) -> Tensor:
            if len(batch) < 2:
                return network.last.weight.sum() * 0
            return adaptive_pairs(pair_similarity(network(values[batch]).exp()), upper, lower)

        curve.append(one_epoch(optimizer, loss, values, config, generator))
    with torch.no_grad():  # the whole, not the last batches, standardises from now on
        logits = network.last(network.features(values))
        network.standard.running_mean.copy_(logits.mean(0))  # type: ignore[union-attr]
        network.standard.running_var.copy_(logits.var(0))  # type: ignore[union-attr]
    return curve
