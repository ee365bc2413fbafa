"""The loss of MoCo: find the key of an item among those in a queue."""

import torch
from torch import Tensor
from torch.nn import functional

from medunsup.selfsupervised.losses._pairs import TINY, cosine
from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def info_nce(
    queries: Tensor,
    keys: Tensor,
    queue: Tensor,
    *,
    temperature: float = 0.07,
    subjects: Tensor | None = None,
    queue_subjects: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of recognising the own key among it and the queue, by cosine similarity.

    He et al., Momentum contrast for unsupervised visual representation learning, CVPR 2020.

    Parameters
    ----------
    queries, keys : Tensor
        Embeddings (N, D) of two views of the same items; no gradient goes into keys and queue.
    queue : Tensor
        Keys (Q, D) of earlier items.
    temperature : float, default 0.07
        What similarities are divided by, above 0.
    subjects : Tensor, optional
        Subject (N,) of each item, as integers: keys of the item's own subject are left out of the queue.
    queue_subjects : Tensor, optional
        Subject (Q,) of each key of the queue; without it none is left out.

    Returns
    -------
    Tensor
        Mean over N queries, in nats; ln(Q + 1) if all embeddings are equal.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.info_nce import info_nce
    >>> round(float(info_nce(torch.ones(4, 3), torch.ones(4, 3), torch.ones(6, 3)).exp()), 3)
    7.0
    """
    own = functional.cosine_similarity(queries, keys.detach(), dim=1, eps=TINY)[:, None] / temperature
    others = cosine(queries, queue.detach()) / temperature
    if subjects is not None and queue_subjects is not None:
        is_own = subjects.to(others.device)[:, None] == queue_subjects.to(others.device)
        others = others.masked_fill(is_own, -torch.inf)
    return (torch.cat([own, others], dim=1).logsumexp(dim=1) - own[:, 0]).mean()
