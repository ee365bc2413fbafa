"""Other brightness, contrast and gamma, as scanners and protocols differ."""

import torch
from torch import Tensor

from medunsup.selfsupervised.augmentations.draws import of_items, on_chosen, uniform
from medunsup.selfsupervised.augmentations.statistics import mean_and_sd, to_unit
from medunsup.training.learner import View


def change_intensity(
    view: View,
    generator: torch.Generator,
    *,
    contrast: float = 0.25,
    shift: float = 0.25,
    gamma: float = 0.3,
    probability: float = 1.0,
) -> View:
    """Change gamma, contrast and brightness inside the mask, of each channel on its own.

    Gamma bends the range of intensities inside the mask, whose ends stay.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    contrast : float, default 0.25
        Distances to the mean are scaled by a factor between 1 - contrast and 1 + contrast.
    shift : float, default 0.25
        Most that is added or taken away, in standard deviations inside the mask.
    gamma : float, default 0.3
        Exponents lie between exp(-gamma) and exp(gamma).
    probability : float, default 1.0
        Share of items that are changed, each drawn on its own.

    Returns
    -------
    View
        The items changed, of the same shape.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.augmentations.intensity import change_intensity
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> change_intensity(view, torch.Generator().manual_seed(0)).values.shape
    torch.Size([2, 1, 16, 16])
    """

    def change(part: View) -> View:
        n_channels = part.values.shape[1]
        exponents = uniform(part, generator, -gamma, gamma, n_channels).exp()
        factors = uniform(part, generator, 1 - contrast, 1 + contrast, n_channels)
        shifts = uniform(part, generator, -shift, shift, n_channels)
        bent = part if gamma == 0 else View(_bent(part, exponents), part.masks)
        mean, sd = mean_and_sd(bent)
        factors, shifts = of_items(factors, mean), of_items(shifts, mean)
        values = bent.values * factors + (mean * (1 - factors) + shifts * sd)
        return View(torch.where(part.masks, values, part.values), part.masks)

    return on_chosen(view, generator, probability, change)


def _bent(view: View, exponents: Tensor) -> Tensor:
    unit, low, width = to_unit(view)
    return unit.pow_(of_items(exponents, unit)).mul_(width).add_(low)
