"""Boxes erased from scans, for a model to fill from their surroundings."""

import torch
from torch import Tensor


def erase_boxes(
    values: Tensor, masks: Tensor, *, most: int, largest: float, generator: torch.Generator
) -> Tensor:
    """Fill 0 to `most` boxes an item with a random grey value of [0, 1] each, inside the masks.

    `values` (B, C, ...), `masks` (B, 1, ...). A side is up to `largest` of the grid's, and a box may
    reach over the edge. Zimmerer et al., Context-encoding variational autoencoder, arXiv:1812.05941.
    """
    counts = torch.randint(most + 1, (len(values), 1), generator=generator, device=values.device)
    for n in range(most):
        drawn = _uniform(len(values), values, generator)
        box = (n < counts).view(-1, *[1] * (values.ndim - 1)) & masks
        for axis, side in enumerate(values.shape[2:]):
            box = box & _within(side, axis + 2, largest, values, generator)
        values = torch.where(box, drawn.view(-1, *[1] * (values.ndim - 1)), values)
    return values


def _within(side: int, axis: int, largest: float, like: Tensor, generator: torch.Generator) -> Tensor:
    """Where along one axis an item's box lies, (B, 1, ..., side, ..., 1)."""
    centre = side * _uniform(len(like), like, generator)
    half = 0.5 * side * largest * _uniform(len(like), like, generator)
    places = torch.arange(side, device=like.device) + 0.5
    inside = (places - centre[:, None]).abs() <= half[:, None]
    shape = [1] * like.ndim
    shape[0], shape[axis] = len(like), side
    return inside.view(shape)


def _uniform(count: int, like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator, device=like.device, dtype=like.dtype)
