"""The four corruptions of Models Genesis together, to be undone."""

import torch
from torch import Tensor

from medunsup.nn.boxes import random_boxes
from medunsup.selfsupervised.augmentations.draws import of_items, on_chosen, uniform
from medunsup.selfsupervised.augmentations.statistics import to_unit
from medunsup.selfsupervised.corruptions.bezier import bend
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.shuffle import shuffle_pixels
from medunsup.training.learner import View

PAINTED, KEPT = (1 / 6, 1 / 3), (3 / 7, 4 / 7)  # shortest and longest side of a box, a share of the item's


def genesis(
    view: View,
    generator: torch.Generator,
    *,
    bend_probability: float = 0.9,
    shuffle_probability: float = 0.5,
    paint_probability: float = 0.9,
    inpaint_share: float = 0.2,
    boxes: int = 5,
    window: int = 4,
) -> Corrupted:
    """Bend intensities, shuffle pixels in small windows, paint noise into boxes or around them.

    The four corruptions of Models Genesis, each with its own probability and inside the mask. Windows lie
    side by side instead of anywhere.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    bend_probability : float, default 0.9
        Share of items whose intensities are bent by a Bezier curve.
    shuffle_probability : float, default 0.5
        Share of items whose pixels are shuffled.
    paint_probability : float, default 0.9
        Share of items that noise is painted into.
    inpaint_share : float, default 0.2
        Share of those with noise inside the boxes; the others have it around them.
    boxes : int, default 5
        Number of boxes.
    window : int, default 4
        Sides of a window in voxels.

    Returns
    -------
    Corrupted
        The view, and where it differs from the original.

    References
    ----------
    Zhou et al., Models Genesis: generic autodidactic models for 3D medical image analysis, MICCAI 2019.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.genesis import genesis
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> genesis(view, torch.Generator().manual_seed(0)).view.values.shape
    torch.Size([2, 1, 16, 16])
    """
    changed = on_chosen(
        view, generator, shuffle_probability, lambda part: shuffle_pixels(part, generator, window=window)
    )
    changed = on_chosen(changed, generator, bend_probability, lambda part: bend(part, generator))
    changed = on_chosen(
        changed, generator, paint_probability, lambda part: _painted(part, generator, inpaint_share, boxes)
    )
    return Corrupted(changed, (changed.values != view.values).any(1, keepdim=True))


def _painted(view: View, generator: torch.Generator, inpaint_share: float, boxes: int) -> View:
    """Paint noise of the item's range of intensities into boxes, or around them."""
    _, low, width = to_unit(view)
    noise = low + width * uniform(view, generator, 0, 1, *view.values.shape[1:])
    inside = _boxes(view.masks, generator, boxes, PAINTED)
    around = view.masks & ~_boxes(view.masks, generator, boxes, KEPT)
    is_inside = of_items(uniform(view, generator, 0, 1) < inpaint_share, view.masks)
    return View(torch.where(torch.where(is_inside, inside, around), noise, view.values), view.masks)


def _boxes(masks: Tensor, generator: torch.Generator, count: int, sides: tuple[float, float]) -> Tensor:
    least, most = sides
    return random_boxes(masks, generator, count=count, least_side=least, most_side=most)
