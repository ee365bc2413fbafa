"""Intensities bent by a random curve, as another contrast would show them."""

import torch
from torch import Tensor

from medunsup.selfsupervised.augmentations.draws import uniform
from medunsup.selfsupervised.augmentations.statistics import to_unit
from medunsup.training.learner import View

POINTS = 256


def bend(view: View, generator: torch.Generator) -> View:
    """Bend the intensities of each item inside its mask by a monotone cubic Bezier curve of its own.

    The curve runs over the range inside the mask, whose ends stay or, for half of the items, change places;
    its two control points are drawn at random. Zhou et al., Models Genesis, MICCAI 2019.
    """
    controls = uniform(view, generator, 0, 1, 2, 2)
    heights = _curves(controls[:, 0], controls[:, 1])
    is_falling = uniform(view, generator, 0, 1, 1) < 0.5
    heights = torch.where(is_falling, 1 - heights, heights)
    unit, low, width = to_unit(view)
    place = unit.flatten(1) * (POINTS - 1)
    before = place.floor().clamp_max(POINTS - 2)
    left = before.long()
    bent = torch.lerp(heights.gather(1, left), heights.gather(1, left + 1), place - before)
    values = low + width * bent.view(unit.shape)
    return View(torch.where(view.masks, values, view.values), view.masks)


def _curves(x: Tensor, y: Tensor) -> Tensor:
    """Heights (B, POINTS) over [0, 1] of curves from (0, 0) to (1, 1) with control points `x`, `y` (B, 2)."""
    t = torch.linspace(0, 1, POINTS, device=x.device)
    along, up = _cubic(x, t), _cubic(y, t)
    wanted = t.expand(len(x), -1).contiguous()
    after = torch.searchsorted(along, wanted).clamp(1, POINTS - 1)
    ends = [(side.gather(1, after - 1), side.gather(1, after)) for side in (along, up)]
    (x0, x1), (y0, y1) = ends
    return torch.lerp(y0, y1, ((wanted - x0) / (x1 - x0).clamp_min(1e-12)).clamp(0, 1))


def _cubic(controls: Tensor, t: Tensor) -> Tensor:
    """Cubic Bernstein polynomial (B, T) that begins at 0 and ends at 1."""
    first, second = controls[:, :1], controls[:, 1:]
    return 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * second + t**3
