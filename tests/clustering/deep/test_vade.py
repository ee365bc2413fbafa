"""The bound of VaDE is the evidence lower bound, by sampling; its bounds hold; items are made by cluster."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from medunsup.clustering import VaDE
from medunsup.core.errors import ArrayError

DRAWS = 200_000


def fitted() -> tuple[VaDE, np.ndarray, np.ndarray]:
    rows, truth = make_blobs(200, n_features=4, centers=3, cluster_std=0.6, random_state=3)
    method = VaDE(n_clusters=3, code=2, width=16, pretrain_epochs=40, epochs=40).fit(rows)
    return method, rows, truth


def test_the_bound_is_what_sampling_codes_and_clusters_gives():
    method, rows, _ = fitted()
    network, generator = method._net, torch.Generator().manual_seed(0)
    values = torch.from_numpy(method._values(rows[:2]))
    with torch.no_grad():
        log_shares, means, log_variances = network.prior()
        noise = torch.randn(DRAWS, 2, generator=generator, dtype=torch.float64)
        for item in values:
            repeated = item.expand(DRAWS, -1)
            found = network.bound(repeated, noise).mean()
            mean, log_variance = network.posterior(item[None])
            code = mean + (log_variance / 2).exp() * noise
            shares = network(item[None]).exp().expand(DRAWS, -1)
            cluster = torch.multinomial(shares, 1, generator=generator)[:, 0]
            about = Normal(network.features.maker(code), (network.log_noise / 2).exp()).log_prob(item).sum(-1)
            prior = Normal(means[cluster], (log_variances[cluster] / 2).exp()).log_prob(code).sum(-1)
            own = Normal(mean, (log_variance / 2).exp()).log_prob(code).sum(-1)
            chosen = shares.gather(1, cluster[:, None])[:, 0].log()
            sampled = (about + log_shares[cluster] + prior - own - chosen).mean()
            assert found.item() == pytest.approx(sampled.item(), abs=1e-2)


def test_the_bound_is_below_the_evidence():
    method, rows, _ = fitted()
    network, generator = method._net, torch.Generator().manual_seed(0)
    values = torch.from_numpy(method._values(rows[:3]))
    with torch.no_grad():
        log_shares, means, log_variances = network.prior()
        parts = Independent(Normal(means, (log_variances / 2).exp()), 1)
        mixture = MixtureSameFamily(Categorical(logits=log_shares), parts)
        for item in values:
            mean, log_variance = network.posterior(item[None])
            posterior = Independent(Normal(mean[0], (log_variance[0] / 2).exp()), 1)
            noise = torch.randn(DRAWS, 2, generator=generator, dtype=torch.float64)
            code = mean + (log_variance / 2).exp() * noise
            about = Normal(network.features.maker(code), (network.log_noise / 2).exp()).log_prob(item).sum(-1)
            weights = about + mixture.log_prob(code) - posterior.log_prob(code)
            evidence = torch.logsumexp(weights, 0) - np.log(DRAWS)
            assert network.bound(item.expand(DRAWS, -1), noise).mean() <= evidence + 1e-2


def test_shares_and_variances_stay_within_bounds():
    method, _, _ = fitted()
    with torch.no_grad():
        method._net.logits.copy_(torch.tensor([0.0, -1e4, -1e4]))
        method._net.log_variances.fill_(-1e4)
        log_shares, _, log_variances = method._net.prior()
    assert log_shares.exp().min() > 5e-5
    assert log_shares.exp().sum().item() == pytest.approx(1)
    assert log_variances.min() >= -6


def test_items_of_a_cluster_are_like_its_rows():
    method, rows, _ = fitted()
    for cluster in range(method.n_clusters_):
        made = method.sample(50, cluster, seed=1)
        assert made.shape == (50, 4)
        assert (method.predict(made) == cluster).mean() > 0.9
        own = rows[method.labels_ == cluster].mean(0)
        assert np.linalg.norm(made.mean(0) - own) < np.linalg.norm(rows.mean(0) - own)
    with pytest.raises(ArrayError, match="cluster 3"):
        method.sample(5, 3)
