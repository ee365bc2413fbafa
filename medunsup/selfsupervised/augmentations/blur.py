"""Scans of a coarser resolution."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from medunsup.selfsupervised.augmentations.along_axes import along_axes
from medunsup.selfsupervised.augmentations.draws import on_chosen, uniform
from medunsup.training.learner import View

REACH = 4  # standard deviations
SHARPEST = 1e-3  # voxels: a Gaussian this narrow leaves everything as it is


def blur(
    view: View,
    generator: torch.Generator,
    *,
    least_voxels: float = 0.0,
    most_voxels: float = 1.0,
    probability: float = 1.0,
) -> View:
    """Smooth items with a Gaussian.

    Items go on as their mirror image beyond their edges, so that the mean of the whole item stays. Values
    from outside the mask are mixed in at its boundary, as in a scan of coarser resolution.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    least_voxels : float, default 0.0
        Least standard deviation of the Gaussian, in voxels.
    most_voxels : float, default 1.0
        Largest standard deviation.
    probability : float, default 1.0
        Share of items that are changed, each drawn on its own.

    Returns
    -------
    View
        The items changed, of the same shape.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.blur import blur
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> blur(view, torch.Generator().manual_seed(0)).values.shape
    torch.Size([2, 1, 16, 16])
    """
    if most_voxels == 0:
        return view
    size = tuple(view.values.shape[2:])
    return on_chosen(
        view,
        generator,
        probability,
        lambda part: View(
            along_axes(part.values, draw_smoothing(part, generator, size, least_voxels, most_voxels)),
            part.masks,
        ),
    )


def draw_smoothing(
    view: View,
    generator: torch.Generator,
    size: tuple[int, ...],
    least_voxels: float,
    most_voxels: float,
    probability: float = 1.0,
) -> list[Tensor]:
    """Draw matrices (B, side, side) that smooth the axes of items of `size`, the identity if not chosen."""
    chosen = uniform(view, generator, 0, 1) < probability
    sd = uniform(view, generator, least_voxels, most_voxels) * chosen
    matrices = {side: _smoothing(side, sd, most_voxels) for side in set(size)}
    return [matrices[side] for side in size]


def _smoothing(side: int, sd: Tensor, largest: float) -> Tensor:
    """Matrices (B, side, side) that smooth one axis; all rows and columns sum to 1."""
    reach = min(side, math.ceil(REACH * largest))
    steps = torch.arange(-reach, reach + 1, device=sd.device)
    weights = (-0.5 * (steps / sd.clamp_min(SHARPEST)[:, None]).square()).exp()
    weights = functional.pad(weights / weights.sum(1, keepdim=True), (2 * side, 2 * side))
    voxels = torch.arange(side, device=sd.device)
    middle = 2 * side + reach
    apart, mirrored = voxels[:, None] - voxels, voxels[:, None] + voxels + 1
    beyond_first, beyond_last = weights[:, middle + mirrored], weights[:, middle + mirrored - 2 * side]
    return weights[:, middle + apart] + beyond_first + beyond_last
