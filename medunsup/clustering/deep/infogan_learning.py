"""InfoGAN's networks, and how they take turns."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.clustering.deep.assignment_losses import is_made, is_real
from medunsup.clustering.deep.opponents import adam, game, like, one_hot
from medunsup.clustering.deep.shaped_networks import Maker
from medunsup.clustering.deep.share_heads import draw_weights


class Network(nn.Module):
    """A body with heads for real or made, for the cluster and for the codes, and a maker of items."""

    def __init__(self, body: nn.Module, shape: tuple[int, ...], n_clusters: int, config: Any) -> None:
        super().__init__()
        self.features = body
        self.real = nn.Linear(config.width, 1)
        self.cluster = nn.Linear(config.width, n_clusters)
        self.codes = nn.Linear(config.width, config.codes)
        self.sizes = (n_clusters, config.codes, config.noise)
        self.maker = Maker(sum(self.sizes), shape, config.width)

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K)."""
        return torch.log_softmax(self.cluster(self.features(values)), -1)

    def causes(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw clusters (n, K), codes (n, C) in [-1, 1] and noise (n, Z)."""
        n_clusters, n_codes, n_noise = self.sizes
        codes = 2 * torch.rand((n, n_codes), generator=generator) - 1
        return one_hot(n, n_clusters, generator), codes, torch.randn((n, n_noise), generator=generator)

    def made_of(self, causes: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Make items (n, D)."""
        made: Tensor = self.maker(like(self.maker, torch.cat(causes, 1)))
        return made

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Make n items (n, D)."""
        return self.made_of(self.causes(n, generator))

    def traversal(self, cluster: int, code: int, steps: int, generator: torch.Generator) -> Tensor:
        """Make items (steps, D) of one cluster and noise, one code from -1 to 1, others 0."""
        clusters, codes, noise = (one.expand(steps, -1).clone() for one in self.causes(1, generator))
        clusters.zero_()[:, cluster] = 1
        codes.zero_()[:, code] = torch.linspace(-1, 1, steps)
        return self.made_of((clusters, codes, noise))


def learn(network: Network, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Draw and learn the weights from values (N, D); return the discriminator's loss of each epoch."""
    draw_weights(network, generator)

    def tell_apart(batch: Tensor) -> Tensor:
        with torch.no_grad():
            made = network.draw(len(batch), generator)
        real, false = (network.real(network.features(one)) for one in (batch, made))
        return is_real(real) + is_made(false)

    def deceive_and_inform(batch: Tensor) -> Tensor:
        causes = network.causes(len(batch), generator)
        features = network.features(network.made_of(causes))
        of_cluster = functional.cross_entropy(network.cluster(features), causes[0])
        of_codes = functional.mse_loss(network.codes(features), causes[1])
        return is_real(network.real(features)) + config.information * (of_cluster + of_codes)

    rate = config.learning_rate
    steps = [
        (adam(rate, network.features, network.real), tell_apart),
        (adam(rate, network.maker, network.cluster, network.codes), deceive_and_inform),
    ]
    return game(steps, values, config, generator)
