"""Mirror images."""

from collections.abc import Sequence

import torch
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.augmentations.draws import of_items, uniform
from medunsup.training.learner import View

AXES = "IJK"


def flip(
    view: View, generator: torch.Generator, *, axes: Sequence[str] = ("I",), probability: float = 0.5
) -> View:
    """Flip items along axes, each with this probability.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    axes : sequence of {'I', 'J', 'K'}, default ('I',)
        Axes that may be flipped; "I" is left-right in scans, and up-down in images (H, W).
    probability : float, default 0.5
        Probability of a flip, for each item and axis.

    Returns
    -------
    View
        The items changed, of the same shape.

    Raises
    ------
    UsageError
        If the items do not have such an axis.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.flip import flip
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> flipped = flip(view, torch.Generator().manual_seed(0), probability=1.0)
    >>> bool((flipped.values == view.values.flip(2)).all())
    True
    """
    signs = draw_flips(view, generator, axes, probability)
    values, masks = view.values, view.masks
    for axis in numbers_of(axes, view):
        turned = of_items(signs[:, axis] < 0, values)
        values = torch.where(turned, values.flip(axis + 2), values)
        masks = torch.where(turned, masks.flip(axis + 2), masks)
    return View(values, masks)


def draw_flips(view: View, generator: torch.Generator, axes: Sequence[str], probability: float) -> Tensor:
    """Draw (B, D): -1 along axes to flip, else 1."""
    n_axes = view.values.ndim - 2
    may_flip = torch.zeros(n_axes, dtype=torch.bool)
    may_flip[numbers_of(axes, view)] = True
    turned = (uniform(view, generator, 0, 1, n_axes) < probability) & may_flip.to(view.values.device)
    return 1 - 2 * turned.float()


def numbers_of(axes: Sequence[str], view: View) -> list[int]:
    """Return the numbers of axes of space, from 0."""
    known = AXES[: view.values.ndim - 2]
    foreign = [axis for axis in axes if axis not in known]
    if foreign:
        raise UsageError(
            f"flip: these items have no axis {foreign[0]!r}; take some of {', '.join(known)}, or none."
        )
    return [known.index(axis) for axis in axes]
