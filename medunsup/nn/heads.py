"""Heads behind an encoder: small networks on feature vectors, thrown away after pretraining."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional


class Projector(nn.Sequential):
    """Map features (B, inputs) to (B, outputs) through one hidden layer; no state depends on the batch."""

    def __init__(self, inputs: int, outputs: int, *, hidden: int | None = None) -> None:
        hidden = hidden or inputs
        super().__init__(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


class NormedProjector(nn.Sequential):
    """Map features (B, inputs) to (B, outputs) through hidden layers with batch norm.

    What it gives for one item depends on the others of the batch, so it belongs into a joint loss, which sees
    the whole batch in however many pieces it was encoded.
    """

    def __init__(self, inputs: int, outputs: int, *, hidden: int | None = None, layers: int = 2) -> None:
        hidden, made, width = hidden or inputs, list[nn.Module](), inputs
        for _ in range(layers):
            made += [nn.Linear(width, hidden, bias=False), BatchNorm(hidden), nn.SiLU()]
            width = hidden
        super().__init__(*made, nn.Linear(width, outputs))


class BatchNorm(nn.BatchNorm1d):
    """Batch norm that within `batch_statistics` takes those of the rows at hand in evaluation as well."""

    by_batch = False

    def forward(self, rows: Tensor) -> Tensor:
        """Normalise rows (B, D)."""
        if self.training or not self.by_batch:
            return super().forward(rows)
        return functional.batch_norm(rows, None, None, self.weight, self.bias, training=True, eps=self.eps)


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Normalise as in training, without running statistics, which lag behind in the first steps."""
    norms = [layer for layer in network.modules() if isinstance(layer, BatchNorm)]
    for norm in norms:
        norm.by_batch = True
    try:
        yield
    finally:
        for norm in norms:
            norm.by_batch = False


class Prototypes(nn.Module):
    """Cosine similarity of rows (B, width) to each of `count` learned directions, (B, count) in [-1, 1]."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(functional.normalize(torch.randn(count, width), dim=1))

    def forward(self, rows: Tensor) -> Tensor:
        """Compare rows with all prototypes."""
        return functional.normalize(rows, dim=1) @ functional.normalize(self.directions, dim=1).T
