"""Small rotations, as heads lie a little differently in each scanner."""

import math

import torch
from torch import Tensor

from medunsup.selfsupervised.augmentations.draws import uniform
from medunsup.selfsupervised.augmentations.resample import Affine, resample
from medunsup.training.learner import View

PLANES = {2: ((0, 1),), 3: ((1, 2), (0, 2), (0, 1))}


def rotate(
    view: View, generator: torch.Generator, *, degrees: float = 10.0, probability: float = 1.0
) -> View:
    """Rotate items about their middle, in 3D about each of the three axes.

    Voxels are taken to be as long as wide. What comes in from outside is outside the mask and repeats the
    edge.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    degrees : float, default 10.0
        Largest angle.
    probability : float, default 1.0
        Share of items that are changed, each drawn on its own.

    Returns
    -------
    View
        The items changed, of the same shape.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.rotation import rotate
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> rotate(view, torch.Generator().manual_seed(0), degrees=20).values.shape
    torch.Size([2, 1, 16, 16])
    """
    middle = (torch.tensor(view.values.shape[2:], device=view.values.device) - 1) / 2
    linear = draw_rotation(view, generator, degrees, probability)
    return resample(view, Affine(linear, middle.expand(len(linear), -1)), tuple(view.values.shape[2:]))


def draw_rotation(view: View, generator: torch.Generator, degrees: float, probability: float) -> Tensor:
    """Draw rotation matrices (B, D, D); those of items that are not rotated are exactly the identity."""
    n_axes = view.values.ndim - 2
    planes = PLANES[n_axes]
    chosen = (uniform(view, generator, 0, 1) < probability)[:, None]
    angles = uniform(view, generator, -1, 1, len(planes)) * math.radians(degrees) * chosen
    rotation = torch.eye(n_axes, device=angles.device).repeat(len(angles), 1, 1)
    for angle, plane in zip(angles.unbind(1), planes, strict=True):
        rotation = rotation @ _in_plane(angle, plane, n_axes)
    return rotation


def _in_plane(angle: Tensor, plane: tuple[int, int], n_axes: int) -> Tensor:
    one, other = plane
    matrix = torch.eye(n_axes, device=angle.device).repeat(len(angle), 1, 1)
    matrix[:, one, one] = matrix[:, other, other] = angle.cos()
    matrix[:, one, other], matrix[:, other, one] = -angle.sin(), angle.sin()
    return matrix
