"""Losses of networks that give shares of clusters (B, K): pure functions of tensors, in logarithms."""

import torch
from torch import Tensor
from torch.nn import functional

LEAST = 1e-8  # probability that logarithms stop at


def entropy(shares: Tensor) -> Tensor:
    """Return the entropy (...) of shares (..., K), in nats."""
    return -(shares * shares.clamp_min(LEAST).log()).sum(-1)


def marginal_entropy(log_shares: Tensor) -> Tensor:
    """Return the entropy of the mean of log shares (B, K): ln K if all clusters are used alike."""
    return entropy(log_shares.exp().mean(0))


def neighbour_consistency(log_shares: Tensor, of_neighbours: Tensor) -> Tensor:
    """Return the mean of -log of the inner product of shares, both given as logarithms (B, K).

    Van Gansbeke et al. (2020), equation 2, its first term.
    """
    return -torch.logsumexp(log_shares + of_neighbours, -1).mean()


def confident_cross_entropy(logits: Tensor, labels: Tensor, is_sure: Tensor) -> Tensor:
    """Return the cross-entropy of logits (B, K) with labels (B,) where sure, each class weighing alike.

    Van Gansbeke et al. (2020), self-labelling. 0 if no row is sure.
    """
    if not is_sure.any():
        return logits.sum() * 0
    counts = torch.bincount(labels[is_sure], minlength=logits.shape[1])
    weights = counts.sum() / (counts.clamp_min(1) * (counts > 0).sum())
    return functional.cross_entropy(logits[is_sure], labels[is_sure], weight=weights.to(logits.dtype))


def pointwise_information(student: Tensor, teacher: Tensor, log_prior: Tensor, beta: float) -> Tensor:
    """Return log of the sum over clusters of (student * teacher)^beta / prior, from logarithms (..., K).

    The pointwise mutual information of two neighbours; beta < 1 keeps clusters from merging
    (Adaloglou et al. 2023, equation 5).
    """
    return torch.logsumexp(beta * (student + teacher) - log_prior, -1)


def pair_similarity(shares: Tensor) -> Tensor:
    """Return the cosine (B, B) of the shares (B, K) of each two rows, in [0, 1]."""
    unit = functional.normalize(shares, dim=1)
    return (unit @ unit.T).clamp(0, 1)


def adaptive_pairs(similarity: Tensor, upper: float, lower: float) -> Tensor:
    """Return the mean cross-entropy of pairs (B, B), alike at `upper` or above, unlike at `lower` or below.

    Pairs between are left out (Chang et al. 2017, equation 8). A row is no pair with itself.
    """
    apart = ~torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    alike, unlike = (similarity >= upper) & apart, (similarity <= lower) & apart
    chosen = alike | unlike
    if not chosen.any():
        return similarity.sum() * 0
    bounded = similarity.clamp(1e-6, 1 - 1e-6)
    losses = torch.where(alike, -bounded.log(), -torch.log1p(-bounded))
    return losses[chosen].mean()


def is_real(logits: Tensor) -> Tensor:
    """Return the mean logistic loss of logits that should say "real"."""
    return functional.softplus(-logits).mean()


def is_made(logits: Tensor) -> Tensor:
    """Return the mean logistic loss of logits that should say "made"."""
    return functional.softplus(logits).mean()
