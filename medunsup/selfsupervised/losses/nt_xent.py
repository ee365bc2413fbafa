"""The loss of SimCLR: find the other view of an item among all views of a batch."""

import torch
from torch import Tensor

from medunsup.selfsupervised.losses._pairs import cosine, negatives, positive_of
from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def nt_xent(
    first: Tensor, second: Tensor, *, temperature: float = 0.1, subjects: Tensor | None = None
) -> Tensor:
    """Cross-entropy of recognising the other view by cosine similarity (normalised temperature-scaled).

    Chen et al., A simple framework for contrastive learning of visual representations, ICML 2020.

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
        Mean over 2N views, in nats; ln(2N - 1) if all embeddings are equal, 0 without any negative.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.nt_xent import nt_xent
    >>> round(float(nt_xent(torch.ones(4, 3), torch.ones(4, 3)).exp()), 3)  # one of 2 x 4 - 1
    7.0
    """
    n, device = len(first), first.device
    views = torch.cat([first, second])
    logits = cosine(views, views) / temperature
    positive = positive_of(n, device)
    is_shown = negatives(n, subjects, device)
    is_shown[torch.arange(2 * n, device=device), positive] = True
    found = logits.gather(1, positive[:, None])[:, 0]
    return (logits.masked_fill(~is_shown, -torch.inf).logsumexp(dim=1) - found).mean()
