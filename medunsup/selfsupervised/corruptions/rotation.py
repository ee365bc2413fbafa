"""Rotations by right angles, to be named."""

import torch

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.corruptions.corrupted import Classed
from medunsup.training.learner import View

Turn = tuple[int, tuple[int, int]]  # by how many right angles, from which axis to which

ROTATIONS: dict[int, tuple[Turn, ...]] = {
    2: tuple((quarters, (0, 1)) for quarters in range(4)),
    3: (
        (0, (0, 1)),
        *((quarters, plane) for plane in ((1, 2), (2, 0), (0, 1)) for quarters in (1, 2, 3)),
    ),
}


def rotation(view: View, generator: torch.Generator) -> Classed:
    """Rotate items by a multiple of 90 degrees, in 3D about one of the three axes.

    All classes are as likely: in `ROTATIONS[2]` 0, 90, 180 and 270 degrees, in `ROTATIONS[3]` no rotation,
    then the other three about the axes I, J and K.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.

    Returns
    -------
    Classed
        The view, and the position of each item's rotation in `ROTATIONS`.

    Raises
    ------
    UsageError
        If the sides of items are not all equal.

    References
    ----------
    Gidaris et al., Unsupervised representation learning by predicting image rotations, ICLR 2018; Taleb et
    al., 3D self-supervised methods for medical imaging, NeurIPS 2020.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.rotation import rotation, undo_rotation
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> bool((undo_rotation(rotation(view, torch.Generator().manual_seed(0))).values == view.values).all())
    True
    """
    sides = view.values.shape[2:]
    if len(set(sides)) > 1:
        raise UsageError(
            f"rotation: items of {tuple(sides)} have other sides when they are rotated; "
            "take patches whose sides are equal."
        )
    turns = ROTATIONS[len(sides)]
    shape = (len(view.values),)
    classes = torch.randint(len(turns), shape, generator=generator, device=view.values.device)
    return Classed(_rotated(view, classes, turns), classes)


def undo_rotation(rotated: Classed) -> View:
    """Rotate each item back by what its class says."""
    turns = ROTATIONS[rotated.view.values.ndim - 2]
    back = tuple((-quarters, plane) for quarters, plane in turns)
    return _rotated(rotated.view, rotated.classes, back)


def _rotated(view: View, classes: torch.Tensor, turns: tuple[Turn, ...]) -> View:
    values, masks = view.values.clone(), view.masks.clone()
    for number, (quarters, (first, second)) in enumerate(turns):
        rows = (classes == number).nonzero().squeeze(1)
        if quarters and len(rows):
            plane = (first + 2, second + 2)
            values[rows] = torch.rot90(view.values[rows], quarters, plane)
            masks[rows] = torch.rot90(view.masks[rows], quarters, plane)
    return View(values, masks)
