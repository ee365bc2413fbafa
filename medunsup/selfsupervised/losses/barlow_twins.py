"""The loss of Barlow Twins: views agree in each feature, and no two features say the same."""

import torch
from torch import Tensor

from medunsup.selfsupervised.losses._precision import in_float32

TINY = 1e-5


@in_float32
def barlow_twins(first: Tensor, second: Tensor, *, redundancy: float = 5e-3) -> Tensor:
    """Squared distance of the views' correlation matrix from the identity.

    Zbontar et al., Barlow Twins: self-supervised learning via redundancy reduction, ICML 2021.

    Parameters
    ----------
    first, second : Tensor
        Embeddings (N, D) of two views of the same items, N > 1.
    redundancy : float, default 0.005
        Weight of what lies off the diagonal.

    Returns
    -------
    Tensor
        Sum over D features, and over their pairs by weight; D if all embeddings are equal.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.barlow_twins import barlow_twins
    >>> round(float(barlow_twins(torch.ones(4, 3), torch.ones(4, 3))), 2)
    3.0
    """
    off = (cross_correlation(first, second) - torch.eye(first.shape[1]).to(first)).square()
    on_diagonal = off.diagonal().sum()
    return on_diagonal + redundancy * (off.sum() - on_diagonal)


@in_float32
def cross_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Correlation (D, D) over the batch of each feature of one view with each of the other."""
    return _standardised(first).T @ _standardised(second) / len(first)


def _standardised(rows: Tensor) -> Tensor:
    """Scale features to mean 0 and variance 1 over the batch, as batch norm does: divided by N, not N - 1."""
    return (rows - rows.mean(dim=0)) / (rows.var(dim=0, correction=0) + TINY).sqrt()
