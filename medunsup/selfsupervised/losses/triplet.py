"""Triplets: an item's other view must be closer than any other item, by a margin."""

import torch
from torch import Tensor

from medunsup.selfsupervised.losses._pairs import distance, negatives, positive_of
from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def triplet(first: Tensor, second: Tensor, *, margin: float = 0.2, subjects: Tensor | None = None) -> Tensor:
    """Mean lack of distance over all triplets of a batch that lack any.

    Each view is an anchor, its other view the positive, every view of other items a negative. Triplets that
    are right already do not count, or they would drown the others ("batch all" of Hermans et al., In defense
    of the triplet loss for person re-identification, 2017; the loss is that of Schroff et al., CVPR 2015).

    Parameters
    ----------
    first, second : Tensor
        Embeddings (N, D) of two views of the same items; they are scaled to length 1.
    margin : float, default 0.2
        By how much the positive shall be closer, in (0, 2).
    subjects : Tensor, optional
        Subject (N,) of each item, as integers: items of one subject are no negatives of one another.

    Returns
    -------
    Tensor
        Mean over triplets with a lack; the margin if all embeddings are equal, 0 if no triplet lacks any.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.triplet import triplet
    >>> round(float(triplet(torch.ones(4, 3), torch.ones(4, 3), margin=0.2)), 2)
    0.2
    """
    n, device = len(first), first.device
    views = torch.cat([first, second])
    apart = distance(views, views)
    closest = apart.gather(1, positive_of(n, device)[:, None])
    lack = (closest - apart + margin).clamp(min=0) * negatives(n, subjects, device)
    return lack.sum() / (lack > 0).sum().clamp(min=1)
