"""The adversarial autoencoder with a categorical code, and how its networks take turns."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.clustering.deep.assignment_losses import is_made, is_real
from medunsup.clustering.deep.opponents import adam, game, one_hot
from medunsup.clustering.deep.shaped_networks import Body, Maker
from medunsup.clustering.deep.share_heads import draw_weights


class Network(nn.Module):
    """Encoder to shares and style, decoder, and an opponent for each of the two."""

    def __init__(self, body: nn.Module, shape: tuple[int, ...], n_clusters: int, config: Any) -> None:
        super().__init__()
        self.features = body
        self.shares = nn.Linear(config.width, n_clusters)
        self.style = nn.Linear(config.width, config.style)
        self.decoder = Maker(n_clusters + config.style, shape, config.width)
        self.of_shares = nn.Sequential(Body((n_clusters,), config.width, "", {}), nn.Linear(config.width, 1))
        self.of_style = nn.Sequential(Body((config.style,), config.width, "", {}), nn.Linear(config.width, 1))

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K)."""
        return torch.log_softmax(self.shares(self.features(values)), -1)

    def code(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return shares (B, K) and style (B, S)."""
        features = self.features(values)
        return torch.softmax(self.shares(features), -1), self.style(features)


def learn(network: Network, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Draw and learn the weights from values (N, D); return the reconstruction's loss of each epoch."""
    draw_weights(network, generator)
    encoder = (network.features, network.shares, network.style)
    n_clusters = network.shares.out_features

    def reconstruct(batch: Tensor) -> Tensor:
        return functional.mse_loss(network.decoder(torch.cat(network.code(batch), 1)), batch)

    def tell_apart(batch: Tensor) -> Tensor:
        with torch.no_grad():
            shares, style = network.code(batch)
        clusters = one_hot(len(batch), n_clusters, generator)
        normal = torch.randn(style.shape, generator=generator)
        return (
            is_real(network.of_shares(clusters))
            + is_made(network.of_shares(shares))
            + is_real(network.of_style(normal))
            + is_made(network.of_style(style))
        )

    def deceive(batch: Tensor) -> Tensor:
        shares, style = network.code(batch)
        return is_real(network.of_shares(shares)) + is_real(network.of_style(style))

    rate = config.learning_rate
    steps = [
        (adam(rate, *encoder, network.decoder), reconstruct),
        (adam(rate, network.of_shares, network.of_style), tell_apart),
        (adam(rate, *encoder), deceive),
    ]
    return game(steps, values, config, generator)
