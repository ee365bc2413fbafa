"""An autoencoder of rows or images: codes, and values made of them again."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.clustering.deep.scan_learning import one_epoch
from medunsup.clustering.deep.shaped_networks import Body, Maker
from medunsup.clustering.deep.share_heads import draw_weights


class Autoencoder(nn.Module):
    """Codes (B, code) of flat values (B, D), and values made of codes."""

    def __init__(self, body: Body, shape: tuple[int, ...], width: int, code: int) -> None:
        super().__init__()
        self.body, self.last = body, nn.Linear(width, code)
        self.maker = Maker(code, shape, width)

    def forward(self, values: Tensor) -> Tensor:
        """Return codes (B, code)."""
        found: Tensor = self.last(self.body(values))
        return found

    def loss(self, values: Tensor) -> Tensor:
        """Return the mean squared difference between values and what is made of their codes."""
        return functional.mse_loss(self.maker(self(values)), values)


class CodeNetwork(nn.Module):
    """A network that gives codes alone."""

    def __init__(self, coder: Autoencoder) -> None:
        super().__init__()
        self.features = coder


def pretrain(
    network: nn.Module, coder: Autoencoder, values: Tensor, config: Any, generator: torch.Generator
) -> list[float]:
    """Draw the weights of a network, and learn those of its coder; return the loss of each epoch."""
    draw_weights(network, generator)
    optimizer = torch.optim.Adam(coder.parameters(), config.learning_rate)
    epochs = range(config.pretrain_epochs)
    return [
        one_epoch(optimizer, lambda batch: coder.loss(values[batch]), values, config, generator)
        for _ in epochs
    ]


def in_batches(network: Any, values: Tensor, size: int = 1024) -> Tensor:
    """Return what a network gives for all values, without gradients."""
    with torch.no_grad():
        return torch.cat([network(part) for part in values.split(size)])
