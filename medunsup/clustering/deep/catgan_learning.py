"""CatGAN's two networks, and how they take turns."""

from typing import Any

import torch
from torch import Tensor, nn

from medunsup.clustering.deep.assignment_losses import entropy, marginal_entropy
from medunsup.clustering.deep.opponents import adam, game, like
from medunsup.clustering.deep.shaped_networks import Maker
from medunsup.clustering.deep.share_heads import draw_weights


class Network(nn.Module):
    """A body with a head that shares out, and a maker of items."""

    def __init__(self, body: nn.Module, shape: tuple[int, ...], n_clusters: int, config: Any) -> None:
        super().__init__()
        self.features = body
        self.last = nn.Linear(config.width, n_clusters)
        self.maker = Maker(config.noise, shape, config.width)
        self.n_noise = config.noise

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K)."""
        return torch.log_softmax(self.last(self.features(values)), -1)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Make n items (n, D)."""
        noise = torch.randn((n, self.n_noise), generator=generator)
        made: Tensor = self.maker(like(self.maker, noise))
        return made


def sure_and_even(log_shares: Tensor) -> Tensor:
    """Return the mean entropy of rows minus that of their mean: low if all are sure, of all clusters."""
    return entropy(log_shares.exp()).mean() - marginal_entropy(log_shares)


def learn(network: Network, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Draw and learn the weights from values (N, D); return the loss of the shares of each epoch."""
    draw_weights(network, generator)

    def share_out(batch: Tensor) -> Tensor:
        with torch.no_grad():
            made = network.draw(len(batch), generator)
        return sure_and_even(network(batch)) - entropy(network(made).exp()).mean()

    def make(batch: Tensor) -> Tensor:
        return sure_and_even(network(network.draw(len(batch), generator)))

    rate = config.learning_rate
    steps = [(adam(rate, network.features, network.last), share_out), (adam(rate, network.maker), make)]
    return game(steps, values, config, generator)
