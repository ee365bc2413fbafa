"""Pixels shuffled inside small windows: texture goes, intensities stay."""

import torch
from torch import Tensor

from medunsup.selfsupervised.augmentations.draws import uniform
from medunsup.selfsupervised.corruptions.positions import block, flat_positions
from medunsup.training.learner import View


def shuffle_pixels(view: View, generator: torch.Generator, *, window: int = 4, share: float = 0.5) -> View:
    """Shuffle the voxels of a share of all windows of `window` voxels a side, each on its own.

    Windows lie side by side, from a first voxel drawn for each item. Those that are not whole inside the mask
    stay as they are. Channels are shuffled alike. Zhou et al., Models Genesis, MICCAI 2019.
    """
    values, masks = view.values.flatten(2), view.masks.flatten(2)
    places = _windows(view, generator, min(window, *view.values.shape[2:]))
    is_taken = uniform(view, generator, 0, 1, places.shape[1]) < share
    is_taken = is_taken & masks[:, 0].gather(1, places.flatten(1)).view(places.shape).all(2)
    order = uniform(view, generator, 0, 1, *places.shape[1:]).argsort(2)
    sources = torch.where(is_taken[:, :, None], places.gather(2, order), places)
    places, sources = (at.flatten(1)[:, None].expand(-1, values.shape[1], -1) for at in (places, sources))
    shuffled = values.scatter(2, places, values.gather(2, sources))
    return View(shuffled.view(view.values.shape), view.masks)


def _windows(view: View, generator: torch.Generator, window: int) -> Tensor:
    """Positions (B, W, P) of the voxels of each window in a flat item."""
    sides, device = view.values.shape[2:], view.values.device
    counts = [max(1, (side - window + 1) // window) for side in sides]
    room = torch.tensor([side - n * window for side, n in zip(sides, counts, strict=True)], device=device)
    first = (uniform(view, generator, 0, 1, len(sides)) * (room + 1)).long().minimum(room)
    corners = flat_positions(window * block(*counts, device=device), sides)
    inside = flat_positions(block(*[window] * len(sides), device=device), sides)
    return flat_positions(first, sides)[:, None, None] + corners[:, None] + inside
