"""How unsure answers are (Grandvalet & Bengio, Semi-supervised learning by entropy minimization, 2004)."""

from torch import Tensor


def entropy(scores: Tensor) -> Tensor:
    """Return the entropy in nats of each element's class.

    Parameters
    ----------
    scores : Tensor
        Scores (B, K, ...) before the softmax.

    Returns
    -------
    Tensor
        Entropy (B, ...), from 0 to log K.

    Examples
    --------
    >>> import torch
    >>> from medunsup.semisupervised.losses.entropy import entropy
    >>> entropy(torch.zeros(1, 2))
    tensor([0.6931])
    """
    logs = scores.float().log_softmax(dim=1)
    return -(logs.exp() * logs).sum(dim=1)
