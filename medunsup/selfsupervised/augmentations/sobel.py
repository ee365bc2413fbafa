"""Edges instead of intensities."""

import torch
from torch import Tensor
from torch.nn import functional

from medunsup.selfsupervised.augmentations.draws import on_chosen
from medunsup.training.learner import View

DIFFERENCE, SMOOTH = (-0.5, 0.0, 0.5), (0.25, 0.5, 0.25)


def sobel(view: View, generator: torch.Generator, *, probability: float = 1.0) -> View:
    """Replace each channel by the length of its gradient, by Sobel's filters.

    So networks cannot sort items by their brightness. Lengths are intensities a voxel.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    probability : float, default 1.0
        Share of items that are changed, each drawn on its own.

    Returns
    -------
    View
        The items changed, of the same shape.

    References
    ----------
    Caron et al., Deep clustering for unsupervised learning of visual features, ECCV 2018.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.sobel import sobel
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> sobel(view, torch.Generator().manual_seed(0)).values.shape
    torch.Size([2, 1, 16, 16])
    """
    return on_chosen(view, generator, probability, lambda part: View(_edges(part.values), part.masks))


def _edges(values: Tensor) -> Tensor:
    axes = range(2, values.ndim)
    squares = torch.zeros_like(values)
    for along in axes:
        slope = values
        for axis in axes:
            slope = _filtered(slope, axis, DIFFERENCE if axis == along else SMOOTH)
        squares += slope.square_()
    return squares.sqrt_()


def _filtered(values: Tensor, axis: int, weights: tuple[float, float, float]) -> Tensor:
    """Weigh each voxel and its two neighbours along one axis; the edge goes on as it is."""
    padding = [0] * (2 * (values.ndim - 2))
    padding[2 * (values.ndim - 1 - axis)] = padding[2 * (values.ndim - 1 - axis) + 1] = 1
    padded = functional.pad(values, padding, mode="replicate")
    side = values.shape[axis]
    before, here, after = (padded.narrow(axis, start, side) for start in range(3))
    return weights[0] * before + weights[1] * here + weights[2] * after
