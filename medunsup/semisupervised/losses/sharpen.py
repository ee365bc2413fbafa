"""Probabilities made surer (Berthelot et al., MixMatch, NeurIPS 2019)."""

from torch import Tensor


def sharpen(probabilities: Tensor, temperature: float) -> Tensor:
    """Raise probabilities to the power 1 / temperature, and let them sum to 1 again.

    Parameters
    ----------
    probabilities : Tensor
        Of each class, (B, K, ...).
    temperature : float
        1 changes nothing; towards 0 the likeliest class takes all.

    Returns
    -------
    Tensor
        Probabilities (B, K, ...).

    Examples
    --------
    >>> import torch
    >>> from medunsup.semisupervised.losses.sharpen import sharpen
    >>> sharpen(torch.tensor([[0.8, 0.2]]), 0.5)
    tensor([[0.9412, 0.0588]])
    """
    tiny = 1e-30  # log of a probability of 0 stays a number
    return (probabilities.float().clamp(min=tiny).log() / temperature).softmax(dim=1)
