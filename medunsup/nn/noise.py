"""Random numbers in the shape of images and codes, all from the generator given."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

COARSE = 16


def white_noise(values: Tensor, masks: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """Independent Gaussian noise in each voxel inside the masks."""
    return sd * normal(values.shape, values, generator) * masks


def coarse_noise(values: Tensor, masks: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """Gaussian noise on 16 points a side, enlarged linearly and rolled by a random shift, inside the masks.

    Kascenas et al., Denoising autoencoders for unsupervised anomaly detection in brain MRI, MIDL 2022; `sd`
    is that of the coarse points, as there. Sides below 16 get a point a voxel.
    """
    sides = values.shape[2:]
    coarse = normal((*values.shape[:2], *(min(COARSE, side) for side in sides)), values, generator)
    mode = {2: "bilinear", 3: "trilinear"}[len(sides)]
    noise = functional.interpolate(sd * coarse, size=sides, mode=mode, align_corners=True)
    shifts = [int(torch.randint(side, (), generator=generator, device=values.device)) for side in sides]
    return torch.roll(noise, shifts, dims=tuple(range(2, values.ndim))) * masks


def draw_gaussian(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """Draw once from N(mean, variance), so that gradients reach both (Kingma & Welling, ICLR 2014)."""
    return mean + (0.5 * log_variance).exp() * normal(mean.shape, mean, generator)


def normal(shape: Sequence[int], like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw from N(0, 1), with device and type of `like`."""
    return torch.randn(tuple(shape), generator=generator, device=like.device, dtype=like.dtype)
