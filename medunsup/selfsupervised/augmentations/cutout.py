"""Holes, so that no single place decides."""

import torch

from medunsup.nn.boxes import random_boxes
from medunsup.selfsupervised.augmentations.draws import on_chosen
from medunsup.selfsupervised.augmentations.statistics import mean_and_sd
from medunsup.training.learner import View


def cutout(
    view: View,
    generator: torch.Generator,
    *,
    boxes: int = 1,
    least_side: float = 0.1,
    most_side: float = 0.3,
    probability: float = 1.0,
) -> View:
    """Fill boxes with the item's mean, inside the mask.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    boxes : int, default 1
        Number of boxes an item, each around a voxel of the mask.
    least_side : float, default 0.1
        Shortest side of a box, as a share of the item's.
    most_side : float, default 0.3
        Longest side of a box.
    probability : float, default 1.0
        Share of items that are changed, each drawn on its own.

    Returns
    -------
    View
        The items changed, of the same shape.

    References
    ----------
    DeVries and Taylor, Improved regularization of convolutional neural networks with Cutout,
    arXiv:1708.04552.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.cutout import cutout
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> cutout(view, torch.Generator().manual_seed(0)).values.shape
    torch.Size([2, 1, 16, 16])
    """

    def change(part: View) -> View:
        mean, _ = mean_and_sd(part)
        hole = random_boxes(part.masks, generator, count=boxes, least_side=least_side, most_side=most_side)
        return View(torch.where(hole, mean, part.values), part.masks)

    return view if most_side == 0 else on_chosen(view, generator, probability, change)
