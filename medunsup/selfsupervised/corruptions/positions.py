"""Voxels as positions in an item whose axes are one."""

import math

import torch
from torch import Tensor


def flat_positions(voxels: Tensor, sides: torch.Size) -> Tensor:
    """Positions (...) of voxels (..., D) in an item of these sides."""
    strides = [math.prod(sides[axis + 1 :]) for axis in range(len(sides))]
    return (voxels * torch.tensor(strides, device=voxels.device)).sum(-1)


def block(*sides: int, device: torch.device) -> Tensor:
    """All voxels (P, D) of a box of these sides, counted from its first."""
    return torch.stack(
        torch.meshgrid(*(torch.arange(side, device=device) for side in sides), indexing="ij"), dim=-1
    ).flatten(0, -2)
