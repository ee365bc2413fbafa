"""Holes to be filled from their surroundings."""

import torch

from medunsup.nn.boxes import random_boxes
from medunsup.selfsupervised.augmentations.statistics import mean_and_sd
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.training.learner import View


def inpaint(
    view: View, generator: torch.Generator, *, holes: int = 4, least_side: float = 0.1, most_side: float = 0.3
) -> Corrupted:
    """Fill boxes with the item's mean, inside the mask.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    holes : int, default 4
        Number of boxes an item, each around a voxel of the mask.
    least_side : float, default 0.1
        Shortest side of a box, as a share of the item's.
    most_side : float, default 0.3
        Longest side of a box.

    Returns
    -------
    Corrupted
        The view, and the holes.

    References
    ----------
    Pathak et al., Context encoders: feature learning by inpainting, CVPR 2016.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.inpaint import inpaint
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> inpaint(view, torch.Generator().manual_seed(0)).view.values.shape
    torch.Size([2, 1, 16, 16])
    """
    hole = random_boxes(view.masks, generator, count=holes, least_side=least_side, most_side=most_side)
    mean, _ = mean_and_sd(view)
    return Corrupted(View(torch.where(hole, mean, view.values), view.masks), hole)
