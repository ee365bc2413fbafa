"""The first contrastive loss: views of one item together, other items at least a margin apart."""

import torch
from torch import Tensor

from medunsup.selfsupervised.losses._pairs import distance, negatives, positive_of
from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def pairwise_margin(
    first: Tensor, second: Tensor, *, margin: float = 1.0, subjects: Tensor | None = None
) -> Tensor:
    """Half the squared distance of positives, and half the squared lack of distance of negatives.

    Hadsell et al., Dimensionality reduction by learning an invariant mapping, CVPR 2006; here both kinds of
    pairs weigh the same, however many negatives a batch has.

    Parameters
    ----------
    first, second : Tensor
        Embeddings (N, D) of two views of the same items; they are scaled to length 1.
    margin : float, default 1.0
        How far negatives shall be apart, in (0, 2).
    subjects : Tensor, optional
        Subject (N,) of each item, as integers: items of one subject are no negatives of one another.

    Returns
    -------
    Tensor
        Mean over positives plus mean over negatives; margin² / 2 if all embeddings are equal.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.pairwise_margin import pairwise_margin
    >>> round(float(pairwise_margin(torch.ones(4, 3), torch.ones(4, 3), margin=1.0)), 2)
    0.5
    """
    n, device = len(first), first.device
    views = torch.cat([first, second])
    apart = distance(views, views)
    is_negative = negatives(n, subjects, device)
    lack = (margin - apart).clamp(min=0).square() * is_negative
    together = apart.gather(1, positive_of(n, device)[:, None]).square().mean()
    return (together + lack.sum() / is_negative.sum().clamp(min=1)) / 2
