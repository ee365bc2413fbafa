"""Random places inside masks, and boxes around them."""

import torch
from torch import Tensor


def random_voxels(masks: Tensor, generator: torch.Generator, count: int) -> Tensor:
    """Draw voxels (B, count, D) of masks (B, 1, ...), each as likely as another; of an empty mask, any."""
    flat = masks.flatten(1)
    flat = flat | ~flat.any(1, keepdim=True)
    numbers = flat.cumsum(1, dtype=torch.int32)
    drawn = torch.rand((len(flat), count), generator=generator, device=masks.device)
    wanted = (drawn * numbers[:, -1:]).to(torch.int32).clamp_max(numbers[:, -1:] - 1) + 1
    found = torch.searchsorted(numbers, wanted)
    voxels = []
    for side in reversed(masks.shape[2:]):
        voxels.append(found % side)
        found = found // side
    return torch.stack(voxels[::-1], dim=-1)


def random_boxes(
    masks: Tensor, generator: torch.Generator, *, count: int, least_side: float, most_side: float
) -> Tensor:
    """Return (B, 1, ...), true in `count` boxes an item, around voxels of its mask, and in the mask alone.

    Each side of a box is a share of the item's side between the two given, at least one voxel.
    """
    n_axes = masks.ndim - 2
    centres = random_voxels(masks, generator, count)
    drawn = torch.rand(centres.shape, generator=generator, device=masks.device)
    shares = least_side + (most_side - least_side) * drawn
    found = torch.zeros_like(masks)
    for n in range(count):
        box = masks
        for axis in range(n_axes):
            side = masks.shape[axis + 2]
            voxels = torch.arange(side, device=masks.device)
            half = (shares[:, n, axis, None] * side / 2).clamp_min(0.5)
            within = (voxels - centres[:, n, axis, None]).abs() <= half
            box = box & within.view(-1, *[1] * (axis + 1), side, *[1] * (n_axes - axis - 1))
        found = found | box
    return found
