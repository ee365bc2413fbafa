"""Heads from features to log shares of clusters, and how their weights are drawn."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional


class ShareHead(nn.Module):
    """Log shares (B, K) of values (B, D): a linear layer, after a hidden one if `hidden` is not 0."""

    def __init__(self, n_features: int, n_clusters: int, hidden: int = 0) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(n_features, hidden), nn.GELU()) if hidden else nn.Identity()
        self.last = nn.Linear(hidden or n_features, n_clusters)

    def logits(self, values: Tensor) -> Tensor:
        """Return what the softmax is taken of (B, K)."""
        found: Tensor = self.last(self.hidden(values))
        return found

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K)."""
        return functional.log_softmax(self.logits(values), -1)


class ManyHeads(nn.Module):
    """H heads at once: log shares (H, B, K) of values (B, D), each with a hidden layer of its own."""

    def __init__(self, n_heads: int, n_features: int, n_clusters: int, hidden: int) -> None:
        super().__init__()
        self.sizes = (n_heads, n_features, n_clusters, hidden)
        self.into = nn.Parameter(torch.empty(n_heads, n_features, hidden))
        self.shift = nn.Parameter(torch.empty(n_heads, 1, hidden))
        self.out = nn.Parameter(torch.empty(n_heads, hidden, n_clusters))
        self.best = nn.Parameter(torch.zeros((), dtype=torch.int64), requires_grad=False)

    def logits(self, values: Tensor) -> Tensor:
        """Return cosines (H, B, K), of which the softmax is taken, as in DINO's last layer."""
        hidden = functional.gelu(values @ self.into + self.shift)
        return functional.normalize(hidden, dim=-1) @ functional.normalize(self.out, dim=1)

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K) of the best head, at the temperature it was learned with."""
        return functional.log_softmax(self.logits(values)[int(self.best)] / TEMPERATURE, -1)


TEMPERATURE = 0.1


def draw_weights(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights anew, uniformly by the number of inputs as torch does, from the generator."""
    for name, weights in module.named_parameters():
        if not weights.is_floating_point():
            continue
        owner = module.get_submodule(name.rpartition(".")[0])
        inputs = _inputs(owner, weights)
        if inputs:
            with torch.no_grad():
                weights.uniform_(-1 / sqrt(inputs), 1 / sqrt(inputs), generator=generator)


def _inputs(owner: nn.Module, weights: Tensor) -> int:
    """Return how many inputs a weight's unit has; 0 for the scales and shifts of normalisation."""
    if isinstance(owner, ManyHeads):
        return owner.sizes[3] if weights is owner.out else owner.sizes[1]
    kernel = getattr(owner, "weight", None)
    if kernel is None or kernel.ndim < 2:
        return 0
    if isinstance(owner, (nn.ConvTranspose2d, nn.ConvTranspose3d)):
        return int(kernel[:, 0].numel())
    return int(kernel[0].numel())
