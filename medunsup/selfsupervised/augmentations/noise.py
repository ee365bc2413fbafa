"""Noise of the measurement."""

import torch

from medunsup.nn.noise import normal
from medunsup.selfsupervised.augmentations.draws import of_items, on_chosen, uniform
from medunsup.selfsupervised.augmentations.statistics import mean_and_sd
from medunsup.training.learner import View


def add_noise(
    view: View,
    generator: torch.Generator,
    *,
    least_sd: float = 0.0,
    most_sd: float = 0.3,
    probability: float = 1.0,
) -> View:
    """Add Gaussian noise inside the mask.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    least_sd : float, default 0.0
        Least standard deviation of the noise, in those of the item inside its mask.
    most_sd : float, default 0.3
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
    >>> from medunsup.selfsupervised.augmentations.noise import add_noise
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> add_noise(view, torch.Generator().manual_seed(0)).values.shape
    torch.Size([2, 1, 16, 16])
    """

    def change(part: View) -> View:
        inside = part.masks.to(part.values.dtype)
        _, sd = mean_and_sd(part, inside)
        sd = sd * of_items(uniform(part, generator, least_sd, most_sd), sd)
        noise = normal(part.values.shape, part.values, generator)
        return View(torch.addcmul(part.values, noise.mul_(inside), sd), part.masks)

    return on_chosen(view, generator, probability, change)
