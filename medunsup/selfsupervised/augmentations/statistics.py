"""What the intensities of an item are inside its mask, so that strengths can be relative to them."""

import torch
from torch import Tensor

from medunsup.training.learner import View

SMALLEST = 1e-12


def mean_and_sd(view: View, inside: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation inside the mask, (B, C, 1, ...) each; 0 where a mask is empty.

    `inside` is the mask as numbers, if it is at hand.
    """
    inside = view.masks.to(view.values.dtype) if inside is None else inside
    flat, weights = view.values.flatten(2), inside.flatten(2).transpose(1, 2)
    count = weights.sum(1, keepdim=True).clamp_min(1)
    mean = flat @ weights / count
    variance = (flat - mean).square_() @ weights / count
    shape = (*flat.shape[:2], *[1] * (view.values.ndim - 2))
    return mean.view(shape), variance.sqrt().view(shape)


def to_unit(view: View) -> tuple[Tensor, Tensor, Tensor]:
    """Values as shares of the range inside the mask, in [0, 1], with its least value and its width.

    The latter are (B, C, 1, ...); both are 0 where a mask is empty, and so are all values of such an item
    and of one that holds one intensity alone.
    """
    axes = tuple(range(2, view.values.ndim))
    low = torch.where(view.masks, view.values, torch.inf).amin(axes, keepdim=True)
    width = torch.where(view.masks, view.values, -torch.inf).amax(axes, keepdim=True) - low
    filled = width >= 0  # of an empty mask it is minus infinity
    low, width = torch.where(filled, low, 0.0), torch.where(filled, width, 0.0)
    return ((view.values - low) / width.clamp_min(SMALLEST)).clamp_(0, 1) * (width > 0), low, width
