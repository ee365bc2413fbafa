"""Clusters as centres among codes: shares by Student's t, the target of DEC, and k-means in the loss."""

from typing import Any

import torch
from sklearn.cluster import KMeans
from torch import Tensor, nn
from torch.nn import functional

from medunsup.clustering.deep.autoencoder import Autoencoder, in_batches, pretrain
from medunsup.clustering.deep.scan_learning import one_epoch


def squared_distances(codes: Tensor, centres: Tensor) -> Tensor:
    """Return squared distances (B, K)."""
    return (codes[:, None] - centres).square().sum(-1)


def student_log_shares(codes: Tensor, centres: Tensor) -> Tensor:
    """Return log shares (B, K) by Student's t with one degree of freedom (van der Maaten 2009)."""
    return functional.log_softmax(-torch.log1p(squared_distances(codes, centres)), -1)


def target(shares: Tensor) -> Tensor:
    """Return DEC's target (N, K): shares squared, each cluster divided by its size, rows sum to 1."""
    weights = shares.square() / shares.sum(0)
    return weights / weights.sum(1, keepdim=True)


class CentreNetwork(nn.Module):
    """A coder and centres (K, code); `sharpness` is 0 for Student's t, else of a softmax of distances."""

    sharpness: Tensor

    def __init__(self, coder: Autoencoder, n_clusters: int) -> None:
        super().__init__()
        self.features = coder
        self.register_buffer("sharpness", torch.zeros(()))
        self.centres = nn.Parameter(torch.zeros(n_clusters, coder.last.out_features))

    def forward(self, values: Tensor) -> Tensor:
        """Return log shares (B, K)."""
        codes = self.features(values)
        if not self.sharpness:
            return student_log_shares(codes, self.centres)
        return functional.log_softmax(-self.sharpness * squared_distances(codes, self.centres), -1)

    def begin(self, values: Tensor, config: Any, generator: torch.Generator) -> list[float]:
        """Learn the coder, put centres where k-means finds them; return the loss of each epoch."""
        curve = pretrain(self, self.features, values, config, generator)
        codes = in_batches(self.features, values).double().numpy()
        found = KMeans(len(self.centres), n_init=20, random_state=config.seed).fit(codes)
        with torch.no_grad():
            self.centres.copy_(torch.from_numpy(found.cluster_centers_))
        return curve


def learn_targets(
    network: CentreNetwork, values: Tensor, config: Any, generator: torch.Generator
) -> tuple[list[float], int]:
    """Learn codes and centres from a target over all rows, renewed each epoch, until few labels change.

    Returns the loss of each epoch, and how often a centre without rows was put on the row that is least sure.
    """
    curve, moved = network.begin(values, config, generator), 0
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)
    before: Tensor | None = None
    for _ in range(config.epochs):
        log_shares = in_batches(network, values)
        labels = log_shares.argmax(1)
        empty = sorted(set(range(len(network.centres))) - set(labels.tolist()))
        is_settled = before is not None and (labels != before).double().mean() < config.tolerance
        if is_settled and not empty:
            break
        if empty:
            _put_on_unsure_rows(network, values, log_shares, empty)
            log_shares, moved = in_batches(network, values), moved + len(empty)
        before, wanted = labels, target(log_shares.exp())

        def loss(batch: Tensor, wanted: Tensor = wanted) -> Tensor:
            found = functional.kl_div(network(values[batch]), wanted[batch], reduction="batchmean")
            if not config.reconstruction:
                return found
            return config.weight * found + config.reconstruction * network.features.loss(values[batch])

        curve.append(one_epoch(optimizer, loss, values, config, generator))
    return curve, moved


def learn_k_means(
    network: CentreNetwork, values: Tensor, config: Any, generator: torch.Generator
) -> list[float]:
    """Learn codes and centres by reconstruction and k-means' loss, whose softmax is sharpened by epoch."""
    curve = network.begin(values, config, generator)
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)
    with torch.no_grad():
        nearest = squared_distances(in_batches(network.features, values), network.centres).min(1).values
    unit = float(nearest.mean()) or 1.0
    weight = config.weight * curve[-1] / unit  # a share of what reconstruction costs
    for epoch in range(config.epochs):
        network.sharpness.fill_(config.sharpness * (epoch + 1) / config.epochs / unit)

        def loss(batch: Tensor) -> Tensor:
            distances = squared_distances(network.features(values[batch]), network.centres)
            shares = torch.softmax(-network.sharpness * distances, -1)
            return network.features.loss(values[batch]) + weight * (shares * distances).sum(1).mean()

        curve.append(one_epoch(optimizer, loss, values, config, generator))
    return curve


def _put_on_unsure_rows(network: CentreNetwork, values: Tensor, log_shares: Tensor, empty: list[int]) -> None:
    order = log_shares.max(1).values.argsort(stable=True)
    codes = in_batches(network.features, values[order])
    distinct = [0]
    for row in range(1, len(codes)):
        if len(distinct) == len(empty):
            break
        if not (codes[row] == codes[distinct]).all(-1).any():
            distinct.append(row)
    with torch.no_grad():
        network.centres[empty[: len(distinct)]] = codes[distinct]
