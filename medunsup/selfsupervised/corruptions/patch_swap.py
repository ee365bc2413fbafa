"""Patches that changed places."""

import torch
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.nn.boxes import random_voxels
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.positions import block, flat_positions
from medunsup.training.learner import View

TRIES = 16  # places drawn for the second patch of a pair, until one does not overlap the first


def patch_swap(view: View, generator: torch.Generator, *, swaps: int = 10, side: int = 8) -> Corrupted:
    """Swap pairs of patches that do not overlap, so that all intensities stay.

    Pairs are swapped one after another; patches lie around voxels of the mask. A pair for which no free
    place was found is left out.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    swaps : int, default 10
        Number of pairs.
    side : int, default 8
        Sides of a patch in voxels.

    Returns
    -------
    Corrupted
        The view, and the patches.

    Raises
    ------
    UsageError
        If two patches do not fit into an item.

    References
    ----------
    Chen et al., Self-supervised learning for medical image analysis using image context restoration,
    Medical Image Analysis 2019, doi:10.1016/j.media.2019.101539.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.patch_swap import patch_swap
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> patch_swap(view, torch.Generator().manual_seed(0), side=4).view.values.shape
    torch.Size([2, 1, 16, 16])
    """
    sides = view.values.shape[2:]
    if side > min(sides) or 2 * side > max(sides):
        raise UsageError(
            f"patch_swap: two patches of {side} voxels do not fit into items of {tuple(sides)}; lower `side`."
        )
    values = view.values.flatten(2)
    changed = torch.zeros_like(view.masks).flatten(2)
    patch = flat_positions(block(*[side] * len(sides), device=values.device), sides)
    for _ in range(swaps):
        one, other = _pair(view.masks, generator, side)
        here, there = (flat_positions(corner, sides)[:, None] + patch for corner in (one, other))
        here, there = (at[:, None].expand(-1, values.shape[1], -1) for at in (here, there))
        from_here, from_there = values.gather(2, here), values.gather(2, there)
        values = values.scatter(2, here, from_there).scatter_(2, there, from_here)
        changed = changed.scatter(2, here[:, :1], True).scatter_(2, there[:, :1], True)
    return Corrupted(View(values.view(view.values.shape), view.masks), changed.view(view.masks.shape))


def _pair(masks: Tensor, generator: torch.Generator, side: int) -> tuple[Tensor, Tensor]:
    """Draw the first voxels (B, D) of two patches; the same twice if they could not be kept apart."""
    last = torch.tensor(masks.shape[2:], device=masks.device) - side
    voxels = random_voxels(masks, generator, 1 + TRIES)
    corners = torch.minimum((voxels - side // 2).clamp_min(0), last)
    one, others = corners[:, :1], corners[:, 1:]
    is_apart = ((others - one).abs() >= side).any(-1)
    first = is_apart.int().argmax(1)
    other = others[torch.arange(len(others), device=masks.device), first]
    return one[:, 0], torch.where(is_apart.any(1, keepdim=True), other, one[:, 0])
