"""InfoNCE between two views: find an item's other view among those of the other items."""

import torch
from torch import Tensor

from medunsup.selfsupervised.losses._pairs import cosine
from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def cross_view(
    first: Tensor, second: Tensor, *, temperature: float = 0.1, subjects: Tensor | None = None
) -> Tensor:
    """Cross-entropy of recognising each view's partner among all second views, and the other way round.

    van den Oord et al., Representation learning with contrastive predictive coding, arXiv:1807.03748, 2018.
    Unlike in `nt_xent` a view is not told from others of its own kind, only from those of the other.

    Parameters
    ----------
    first, second : Tensor
        Embeddings (N, D) of two views of the same items, of any length.
    temperature : float, default 0.1
        What similarities are divided by, above 0.
    subjects : Tensor, optional
        Subject (N,) of each item, as integers: items of one subject are no negatives of one another.

    Returns
    -------
    Tensor
        Mean over 2N views, in nats; ln N if all embeddings are equal, 0 without any negative.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.cross_view import cross_view
    >>> round(float(cross_view(torch.ones(4, 3), torch.ones(4, 3)).exp()), 3)  # one of 4
    4.0
    """
    logits = cosine(first, second) / temperature
    if subjects is not None:
        whose = subjects.to(logits.device)
        is_own = (whose[:, None] == whose) & ~torch.eye(len(whose), dtype=torch.bool, device=logits.device)
        logits = logits.masked_fill(is_own, -torch.inf)
    missed = logits.logsumexp(dim=1) + logits.logsumexp(dim=0) - 2 * logits.diagonal()
    return missed.mean() / 2
