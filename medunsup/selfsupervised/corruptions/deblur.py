"""Sharpness to be brought back."""

import torch

from medunsup.selfsupervised.augmentations.blur import blur
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.training.learner import View


def deblur(
    view: View, generator: torch.Generator, *, least_voxels: float = 1.0, most_voxels: float = 2.0
) -> Corrupted:
    """Smooth items with a Gaussian.

    Values outside the mask are smoothed too, but not asked back.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    least_voxels : float, default 1.0
        Least standard deviation of the Gaussian, in voxels.
    most_voxels : float, default 2.0
        Largest standard deviation.

    Returns
    -------
    Corrupted
        The view, and its mask.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.deblur import deblur
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> deblur(view, torch.Generator().manual_seed(0)).view.values.shape
    torch.Size([2, 1, 16, 16])
    """
    smooth = blur(view, generator, least_voxels=least_voxels, most_voxels=most_voxels)
    return Corrupted(smooth, view.masks)
