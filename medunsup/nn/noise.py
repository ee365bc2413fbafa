"""Noise that a denoising model learns to remove."""

import torch
from torch import Tensor
from torch.nn import functional

COARSE = 16


def white_noise(values: Tensor, masks: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """Independent Gaussian noise in each voxel inside the masks."""
    return sd * _normal(values.shape, values, generator) * masks


def coarse_noise(values: Tensor, masks: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """Gaussian noise on 16 points a side, enlarged linearly and rolled by a random shift, inside the masks.

    Kascenas et al., Denoising autoencoders for unsupervised anomaly detection in brain MRI, MIDL 2022; `sd`
    is that of the coarse points, as there. Sides below 16 get a point a voxel.
    """
    sides = values.shape[2:]
    coarse = _normal((*values.shape[:2], *(min(COARSE, side) for side in sides)), values, generator)
    mode = {2: "bilinear", 3: "trilinear"}[len(sides)]
    noise = functional.interpolate(sd * coarse, size=sides, mode=mode, align_corners=True)
    shifts = [int(torch.randint(side, (), generator=generator, device=values.device)) for side in sides]
    return torch.roll(noise, shifts, dims=tuple(range(2, values.ndim))) * masks


def _normal(shape: tuple[int, ...] | torch.Size, like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)
