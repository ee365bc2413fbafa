"""The evidence lower bound of codes that come from a mixture of Gaussians, and how it is learned."""

from math import log, pi
from typing import Any

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

from medunsup.clustering.deep.autoencoder import Autoencoder, in_batches, pretrain
from medunsup.clustering.deep.scan_learning import one_epoch

LEAST, MOST = -6.0, 4.0  # logarithms of variances
LEAST_SHARE = 1e-4  # of a cluster in the prior, before they are brought to a sum of 1


class Network(nn.Module):
    """Codes as Gaussians, and a mixture (K, code) that they come from."""

    def __init__(self, coder: Autoencoder, n_clusters: int) -> None:
        super().__init__()
        size = coder.last.out_features
        self.features = coder
        self.log_variance = nn.Linear(coder.last.in_features, size)
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        self.means = nn.Parameter(torch.zeros(n_clusters, size))
        self.log_variances = nn.Parameter(torch.zeros(n_clusters, size))
        self.log_noise = nn.Parameter(torch.zeros(()))

    def posterior(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log variances of codes (B, code)."""
        found = self.features.body(values)
        return self.features.last(found), self.log_variance(found).clamp(LEAST, MOST)

    def prior(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return log shares (K,), means and log variances (K, code), within their bounds."""
        shares = torch.softmax(self.logits, 0).clamp(LEAST_SHARE)
        return (shares / shares.sum()).log(), self.means, self.log_variances.clamp(LEAST, MOST)

    def joint(self, values: Tensor) -> Tensor:
        """Return log share plus expected log density of the codes in each cluster (B, K)."""
        mean, log_variance = self.posterior(values)
        return expected_log_densities(mean, log_variance, *self.prior())

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K) that make the bound largest."""
        return torch.log_softmax(self.joint(values), -1)

    def bound(self, values: Tensor, noise: Tensor) -> Tensor:
        """Return the evidence lower bound of items (B,), in nats, codes drawn by standard normal noise."""
        mean, log_variance = self.posterior(values)
        codes = mean + (log_variance / 2).exp() * noise
        about = gaussian_log_density(values, self.features.maker(codes), self.log_noise.clamp(LEAST, MOST))
        prior = torch.logsumexp(expected_log_densities(mean, log_variance, *self.prior()), -1)
        entropy = (log_variance + log(2 * pi) + 1).sum(-1) / 2
        return about + prior + entropy

    def draw(self, n: int, cluster: int, generator: torch.Generator) -> Tensor:
        """Return items (n, D), flat, made of codes of a cluster."""
        _, means, log_variances = self.prior()
        noise = torch.randn(n, means.shape[1], generator=generator, dtype=means.dtype)
        found: Tensor = self.features.maker(means[cluster] + (log_variances[cluster] / 2).exp() * noise)
        return found


def gaussian_log_density(values: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the log density (B,) of values (B, D), in nats."""
    squares = (values - mean).square() / log_variance.exp()
    return -(squares + log_variance + log(2 * pi)).sum(-1) / 2


def expected_log_densities(
    mean: Tensor, log_variance: Tensor, log_shares: Tensor, means: Tensor, log_variances: Tensor
) -> Tensor:
    """Return log share + E log N(code; mean, variance) (B, K), code a Gaussian."""
    squares = ((mean[:, None] - means).square() + log_variance.exp()[:, None]) / log_variances.exp()
    return log_shares - (squares + log_variances + log(2 * pi)).sum(-1) / 2


def learn(network: Network, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
    """Learn an autoencoder, a mixture among its codes, then all together; return the loss of each epoch."""
    curve = pretrain(network, network.features, values, config, generator)
    _begin(network, values, config)
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)

    def loss(batch: Tensor) -> Tensor:
        noise = torch.randn(len(batch), network.means.shape[1], generator=generator)
        return -network.bound(values[batch], noise).mean() / values.shape[1]

    return curve + [one_epoch(optimizer, loss, values, config, generator) for _ in range(config.epochs)]


def _begin(network: Network, values: Tensor, config: Any) -> None:
    """Take the mixture from the codes; codes begin a tenth of its spread wide."""
    codes = in_batches(network.features, values)
    found = GaussianMixture(
        len(network.means), covariance_type="diag", n_init=5, reg_covar=1e-4, random_state=config.seed
    ).fit(codes.double().numpy())
    made = in_batches(lambda part: network.features.maker(network.features(part)), values)
    with torch.no_grad():
        network.logits.copy_(torch.from_numpy(found.weights_).log())
        network.means.copy_(torch.from_numpy(found.means_))
        network.log_variances.copy_(torch.from_numpy(found.covariances_).log().clamp(LEAST, MOST))
        network.log_noise.copy_((made - values).square().mean().log().clamp(LEAST, MOST))
        network.log_variance.weight.zero_()
        network.log_variance.bias.copy_((network.log_variances.mean(0) - log(100)).clamp(LEAST, MOST))
