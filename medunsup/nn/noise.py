"""Random numbers in the shape of images and codes, all from the generator given."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

COARSE = 16
FEWEST_POINTS, MOST_POINTS = 4, 24
HEIGHT_POINTS = 4
BLOB_FIELD, BLOB_RIM = 1.2, 0.2


def white_noise(values: Tensor, masks: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """Independent Gaussian noise in each voxel inside the masks."""
    return sd * normal(values.shape, values, generator) * masks


def coarse_noise(values: Tensor, masks: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """Gaussian noise on 16 points a side, enlarged linearly and rolled by a random shift, inside the masks.

    Kascenas et al., Denoising autoencoders for unsupervised anomaly detection in brain MRI, MIDL 2022; `sd`
    is that of the coarse points, as there. Sides below 16 get a point a voxel.
    """
    return _rolled(sd * _smooth_field(values, COARSE, generator), generator) * masks


def blobs(values: Tensor, generator: torch.Generator) -> Tensor:
    """Draw (B, 1, ...) in [0, 1], shaped like `values` (B, C, ...): 1 in few blobs of one size, 0 elsewhere.

    They lie where a random field on 4 to 24 points a side, enlarged linearly, is far from 0; edges are soft.
    """
    points = int(torch.randint(FEWEST_POINTS, MOST_POINTS + 1, (), generator=generator, device=values.device))
    field = _smooth_field(values[:, :1], points, generator)
    return _rolled(((field.abs() - BLOB_FIELD) / BLOB_RIM).clamp(0, 1), generator)


def blob_noise(values: Tensor, masks: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """Few blobs, brighter or darker than what they lie on, inside the masks.

    A field on 4 points a side, of standard deviation `sd`, says by how much each differs.
    """
    height = sd * _smooth_field(values, HEIGHT_POINTS, generator)
    return height * blobs(values, generator) * masks


def _smooth_field(values: Tensor, points: int, generator: torch.Generator) -> Tensor:
    """Draw N(0, 1) on so many points a side, as far as there are voxels, and enlarge linearly."""
    sides = values.shape[2:]
    drawn = normal((*values.shape[:2], *(min(points, side) for side in sides)), values, generator)
    mode = {2: "bilinear", 3: "trilinear"}[len(sides)]
    return functional.interpolate(drawn, size=sides, mode=mode, align_corners=True)


def _rolled(field: Tensor, generator: torch.Generator) -> Tensor:
    """Roll (B, C, ...) along each axis of space by a random shift."""
    sides = field.shape[2:]
    shifts = [int(torch.randint(side, (), generator=generator, device=field.device)) for side in sides]
    return torch.roll(field, shifts, dims=tuple(range(2, field.ndim)))


def draw_gaussian(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """Draw once from N(mean, variance), so that gradients reach both (Kingma & Welling, ICLR 2014)."""
    return mean + (0.5 * log_variance).exp() * normal(mean.shape, mean, generator)


def normal(shape: Sequence[int], like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw from N(0, 1), with device and type of `like`."""
    return torch.randn(tuple(shape), generator=generator, device=like.device, dtype=like.dtype)
