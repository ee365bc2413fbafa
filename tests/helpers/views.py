"""Views of made-up items, 2D and 3D, whose place and intensities are known."""

import torch
from torch import Tensor

from medunsup.training.learner import View

SHAPES = {2: (6, 2, 24, 20), 3: (4, 1, 16, 18, 20)}
CUBES = {2: (12, 1, 18, 18), 3: (24, 2, 12, 12, 12)}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noisy(shape: tuple[int, ...], seed: int = 0) -> View:
    """Random intensities in [0, 1]; the mask is an ellipsoid around the middle, 0 outside."""
    inside = sum(place.square() for place in offsets(shape[2:])) < 0.8
    masks = inside.expand(shape[0], 1, *shape[2:]).clone()
    return View(torch.rand(shape, generator=generator(seed)) * masks, masks)


def blob(shape: tuple[int, ...], at: float = 0.15, radius: float = 0.45) -> View:
    """A bright ball off the middle that is the mask as well; values fall smoothly at its edge."""
    distance = sum((place - at).square() for place in offsets(shape[2:])).sqrt()
    values = ((radius - distance) / 0.1 + 0.5).clamp(0, 1)
    return View(values.expand(shape).clone(), (values > 0.5).expand(shape[0], 1, *shape[2:]).clone())


def offsets(sides: tuple[int, ...]) -> list[Tensor]:
    """Places along each axis from -1 to 1, shaped to broadcast."""
    axes = [torch.linspace(-1, 1, side) for side in sides]
    return list(torch.meshgrid(*axes, indexing="ij"))


def centre_of_mass(weights: Tensor) -> Tensor:
    """Mean place (B, D) in voxels, of (B, 1, ...)."""
    weights = weights.double()
    axes = tuple(range(1, weights.ndim))
    places = torch.meshgrid(*(torch.arange(side) for side in weights.shape[2:]), indexing="ij")
    return torch.stack([(weights * place).sum(axes) / weights.sum(axes) for place in places], dim=1)


def same(one: View, other: View) -> bool:
    """Whether two views are equal to the bit."""
    return torch.equal(one.values, other.values) and torch.equal(one.masks, other.masks)
