"""Items between items (Zhang et al., mixup, ICLR 2018, as MixMatch takes it)."""

import numpy as np
import torch
from torch import Tensor


def mixup(
    values: Tensor, targets: Tensor, masks: Tensor, *, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix each item with another one, of which at most half is taken.

    Parameters
    ----------
    values : Tensor
        Items (B, C, ...).
    targets : Tensor
        Probabilities (B, K) of their classes.
    masks : Tensor
        Masks (B, 1, ...), bool.
    alpha : float
        Shares are drawn from Beta(alpha, alpha); the larger part is the item's own.
    generator : Generator
        Where random numbers come from.

    Returns
    -------
    tuple of Tensor
        Mixed items, targets, and the masks of both joined.

    Examples
    --------
    >>> import torch
    >>> from medunsup.semisupervised.losses.mixup import mixup
    >>> values, targets = torch.rand(4, 1, 8, 8), torch.eye(2).repeat(2, 1)
    >>> masks, generator = torch.ones(4, 1, 8, 8, dtype=torch.bool), torch.Generator().manual_seed(0)
    >>> mixup(values, targets, masks, alpha=0.75, generator=generator)[1].sum(dim=1)
    tensor([1., 1., 1., 1.])
    """
    device = values.device
    order = torch.randperm(len(values), generator=generator, device=device)
    key = int(torch.randint(2**62, (), generator=generator, device=device))
    drawn = np.random.default_rng(key).beta(alpha, alpha, len(values))  # torch's takes no generator
    own = torch.as_tensor(np.maximum(drawn, 1 - drawn), dtype=values.dtype, device=device)
    mixed = [_between(one, one[order], own) for one in (values, targets)]
    return mixed[0], mixed[1], masks | masks[order]


def _between(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    share = share.view(-1, *(1,) * (one.ndim - 1))
    return one * share + other * (1 - share)
