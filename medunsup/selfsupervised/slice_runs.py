"""Axial slices with those before them, and volumes whose later slices are hidden."""

from typing import Any

import torch
from torch import Tensor

from medunsup.core.errors import InputError
from medunsup.training.datasets import Draws, Positions
from medunsup.training.learner import Batch, View
from medunsup.training.patches import Patches

LEAST_BEFORE = 2  # slices that an extrapolation needs


class SliceRuns(Patches):
    """Slices of `size` (I, J), each with the `before` slices below it as further views, the nearest first.

    Raises InputError if the scans have fewer slices.
    """

    def __init__(self, *arrays: Any, size: tuple[int, int], before: int, **more: Any) -> None:
        check_slices(arrays[1].shape[3], before)
        super().__init__(*arrays, size=(*size, before + 1), **more)

    def batch(self, items: Positions, draws: Draws | None = None) -> Batch:
        """Gather runs of slices, and give each slice as a view."""
        run = super().batch(items, draws)
        places = range(run.values.shape[-1] - 1, -1, -1)
        return run.shown_as([View(run.values[..., k].clone(), run.masks[..., k].clone()) for k in places])


def check_slices(n_slices: int, before: int) -> None:
    """Raise InputError unless there is a slice with so many before it."""
    if n_slices <= before:
        raise InputError(
            f"The next slice is predicted from {before} before it, but there are {n_slices} in all. "
            "Give volumes of more slices; single images have no next slice."
        )


def hide_later(view: View, generator: torch.Generator) -> tuple[View, View]:
    """Choose a slice of each volume that reaches into its mask, and hide it and all above it.

    Returns the view with 0 there, and as it was with the mask of the chosen slice alone.
    """
    n_slices = view.values.shape[-1]
    numbers = torch.arange(n_slices, device=view.values.device)
    is_possible = view.masks.flatten(1, -2).any(dim=1) & (numbers >= LEAST_BEFORE)
    drawn = torch.rand(is_possible.shape, generator=generator, device=view.values.device)
    chosen = drawn.masked_fill(~is_possible, -1.0).argmax(dim=1, keepdim=True)
    is_hidden, is_next = numbers >= chosen, (numbers == chosen) & is_possible
    across = (len(view.values), *[1] * (view.values.ndim - 2), n_slices)
    shown = View(view.values.masked_fill(is_hidden.view(across), 0), view.masks)
    return shown, View(view.values, view.masks & is_next.view(across))


def earlier(values: Tensor, steps: int) -> Tensor:
    """Return at each slice (..., K) the one `steps` before it; 0 where there is none."""
    return torch.cat([torch.zeros_like(values[..., :steps]), values[..., :-steps]], dim=-1)
