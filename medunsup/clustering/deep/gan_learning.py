"""DCGAN's two networks, how they take turns, and clusters of what the discriminator sees."""

from typing import Any

import torch
from torch import Tensor, nn

from medunsup.clustering.deep.assignment_losses import is_made, is_real
from medunsup.clustering.deep.opponents import adam, game, like
from medunsup.clustering.deep.shaped_networks import Maker
from medunsup.clustering.deep.share_heads import draw_weights


class Network(nn.Module):
    """A body with a head for real or made, a maker of items, and centres of the body's features."""

    centres: Tensor
    variance: Tensor

    def __init__(self, body: nn.Module, shape: tuple[int, ...], n_clusters: int, config: Any) -> None:
        super().__init__()
        self.features = body
        self.real = nn.Linear(config.width, 1)
        self.maker = Maker(config.noise, shape, config.width)
        self.n_noise, self.n_clusters, self.seed = config.noise, n_clusters, config.seed
        self.register_buffer("centres", torch.zeros(n_clusters, config.width))
        self.register_buffer("variance", torch.ones(()))

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K): the posterior of round Gaussians of one width about the centres."""
        squares = (self.features(values)[:, None] - self.centres).square().sum(-1)
        return torch.log_softmax(-squares / (2 * self.variance), -1)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Make n items (n, D)."""
        noise = torch.randn((n, self.n_noise), generator=generator)
        made: Tensor = self.maker(like(self.maker, noise))
        return made


def learn(network: Network, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Draw and learn the weights from values (N, D); return the discriminator's loss of each epoch."""
    draw_weights(network, generator)

    def tell_apart(batch: Tensor) -> Tensor:
        with torch.no_grad():
            made = network.draw(len(batch), generator)
        real, false = (network.real(network.features(one)) for one in (batch, made))
        return is_real(real) + is_made(false)

    def deceive(batch: Tensor) -> Tensor:
        return is_real(network.real(network.features(network.draw(len(batch), generator))))

    rate = config.learning_rate
    steps = [
        (adam(rate, network.features, network.real), tell_apart),
        (adam(rate, network.maker), deceive),
    ]
    curve = game(steps, values, config, generator)
    _find_centres(network, values)
    return curve


@torch.no_grad()
def _find_centres(network: Network, values: Tensor) -> None:
    """Keep the centres of k-means of the body's features, and the variance about them."""
    from sklearn.cluster import KMeans

    features = network.features(values).double().numpy()
    found = KMeans(network.n_clusters, n_init=10, random_state=network.seed).fit(features)
    network.centres.copy_(torch.from_numpy(found.cluster_centers_))
    network.variance.fill_(max(found.inertia_ / features.size, 1e-12))
