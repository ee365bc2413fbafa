"""A random part of each item, brought to one size."""

import math

import torch

from medunsup.selfsupervised.augmentations.draws import uniform
from medunsup.selfsupervised.augmentations.resample import Affine, resample
from medunsup.training.learner import View


def crop_and_resize(
    view: View,
    generator: torch.Generator,
    *,
    size: tuple[int, ...] | None = None,
    least_share: float = 0.3,
    most_share: float = 1.0,
    stretch: float = 1.33,
    probability: float = 1.0,
) -> View:
    """Crop each item at a random place and bring it to one size.

    Items that are not cropped are resized whole. Nothing is smoothed before it is made smaller.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    size : tuple of int, optional
        Voxels of the views along each axis of space; those of the items if not given.
    least_share : float, default 0.3
        Smallest share of the area or volume in a crop, above 0.
    most_share : float, default 1.0
        Largest share; 1 is the largest part with the proportions of `size` that fits.
    stretch : float, default 1.33
        Largest stretching of one axis against another, 1 or more.
    probability : float, default 1.0
        Share of items that are changed, each drawn on its own.

    Returns
    -------
    View
        Items of `size`, values interpolated linearly, masks by the nearest voxel.

    References
    ----------
    Chen et al., A simple framework for contrastive learning of visual representations, ICML 2020.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.crop import crop_and_resize
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> crop_and_resize(view, torch.Generator().manual_seed(0), size=(8, 8)).values.shape
    torch.Size([2, 1, 8, 8])
    """
    size = tuple(view.values.shape[2:]) if size is None else size
    affine = draw_crop(view, generator, size, least_share, most_share, stretch, probability)
    return resample(view, affine, size)


def draw_crop(
    view: View,
    generator: torch.Generator,
    size: tuple[int, ...],
    least_share: float,
    most_share: float,
    stretch: float,
    probability: float,
) -> Affine:
    """Draw where each item is cropped.

    A share of 1 is the largest part with the proportions of `size` that fits into the scan.
    """
    n_axes, device = len(size), view.values.device
    sides, new = torch.tensor(view.values.shape[2:], device=device), torch.tensor(size, device=device)
    chosen = (uniform(view, generator, 0, 1) < probability)[:, None]
    share = uniform(view, generator, least_share, most_share, 1)
    factors = uniform(view, generator, -0.5, 0.5, n_axes) * math.log(stretch)
    factors = (factors - factors.mean(1, keepdim=True)).exp() * share ** (1 / n_axes)
    whole = new * (sides / new).min()
    cropped = torch.minimum(torch.where(chosen, whole * factors, whole), sides)
    room = (sides - cropped) / 2
    shift = uniform(view, generator, -1, 1, n_axes) * room * chosen
    return Affine(torch.diag_embed(cropped / new), (sides - 1) / 2 + shift)
