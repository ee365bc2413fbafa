"""Most of the brain hidden, to be filled in."""

import torch
from torch import Tensor
from torch.nn import functional

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.training.learner import View


def masking(
    view: View,
    generator: torch.Generator,
    *,
    side: int = 8,
    least_ratio: float = 0.6,
    most_ratio: float = 0.9,
) -> Corrupted:
    """Hide random patches of the brain.

    Hidden voxels are 0. At least one patch is hidden and, where there are two, one is shown.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    side : int, default 8
        Sides of a patch in voxels; patches lie on a grid from the first voxel on.
    least_ratio : float, default 0.6
        Least share of patches with brain that is hidden; it is drawn for each item.
    most_ratio : float, default 0.9
        Largest share.

    Returns
    -------
    Corrupted
        The view, and the patches hidden, of which a loss takes what is inside the mask.

    Raises
    ------
    UsageError
        If patches are longer than the items.

    References
    ----------
    He et al., Masked autoencoders are scalable vision learners, CVPR 2022; ratios of Wald et al.,
    Revisiting MAE pre-training for 3D medical image segmentation, CVPR 2025.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.masking import masking
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> masking(view, torch.Generator().manual_seed(0)).view.values.shape
    torch.Size([2, 1, 16, 16])
    """
    if side > min(view.values.shape[2:]):
        raise UsageError(
            f"masking: patches of {side} voxels are longer than items of {tuple(view.values.shape[2:])}; "
            "lower `side`."
        )
    shape = (len(view.values), 1)
    drawn = torch.rand(shape, generator=generator, device=view.values.device)
    hidden = hidden_patches(view.masks, generator, side, least_ratio + (most_ratio - least_ratio) * drawn)
    for axis, length in enumerate(view.values.shape[2:], start=2):
        hidden = hidden.repeat_interleave(side, axis).narrow(axis, 0, length)
    return Corrupted(View(view.values.masked_fill(hidden, 0), view.masks), hidden)


def hidden_patches(masks: Tensor, generator: torch.Generator, side: int, ratio: Tensor) -> Tensor:
    """Choose patches (B, 1, ...) on a grid of `side` voxels, so many of those with mask, `ratio` (B, 1)."""
    pool = {4: functional.max_pool2d, 5: functional.max_pool3d}[masks.ndim]
    brain = pool(masks.float(), side, ceil_mode=True) > 0
    flat = brain.flatten(1)
    count = flat.sum(1, keepdim=True)
    wanted = torch.minimum((ratio * count).round().clamp_min(1), (count - 1).clamp_min(1))
    scores = torch.rand(flat.shape, generator=generator, device=masks.device)
    ranks = scores.masked_fill(~flat, 2.0).argsort(1).argsort(1)
    return ((ranks < wanted) & flat).view(brain.shape)
