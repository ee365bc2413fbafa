"""Random numbers for each item of a batch, and steps that only some of its items take."""

from collections.abc import Callable

import torch
from torch import Tensor

from medunsup.training.learner import View


def uniform(view: View, generator: torch.Generator, low: float, high: float, *more: int) -> Tensor:
    """Draw (B, *more) between `low` and `high`, float32, on the view's device."""
    shape = (len(view.values), *more)
    drawn = torch.rand(shape, generator=generator, device=view.values.device, dtype=torch.float32)
    return low + (high - low) * drawn


def of_items(drawn: Tensor, values: Tensor) -> Tensor:
    """Shape (B,) or (B, C) so that each number meets its item, or channel, of `values` (B, C, ...)."""
    return drawn.view(*drawn.shape, *[1] * (values.ndim - drawn.ndim))


def on_chosen(
    view: View, generator: torch.Generator, probability: float, change: Callable[[View], View]
) -> View:
    """Change each item with this probability; a change keeps the shape. The view itself stays as it is."""
    chosen = (uniform(view, generator, 0, 1) < probability).nonzero().squeeze(1)
    if len(chosen) == 0:
        return view
    if len(chosen) == len(view.values):
        return change(view)
    changed = change(View(view.values[chosen], view.masks[chosen]))
    return View(
        view.values.index_copy(0, chosen, changed.values), view.masks.index_copy(0, chosen, changed.masks)
    )
