"""Noise to be taken away."""

import torch

from medunsup.selfsupervised.augmentations.noise import add_noise
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.training.learner import View


def noise(
    view: View, generator: torch.Generator, *, least_sd: float = 0.2, most_sd: float = 0.6
) -> Corrupted:
    """Add Gaussian noise inside the mask.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    least_sd : float, default 0.2
        Least standard deviation of the noise, in those of the item inside its mask.
    most_sd : float, default 0.6
        Largest standard deviation.

    Returns
    -------
    Corrupted
        The view, and its mask.

    References
    ----------
    Vincent et al., Stacked denoising autoencoders, Journal of Machine Learning Research 2010.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.noise import noise
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> noise(view, torch.Generator().manual_seed(0)).view.values.shape
    torch.Size([2, 1, 16, 16])
    """
    return Corrupted(add_noise(view, generator, least_sd=least_sd, most_sd=most_sd), view.masks)
