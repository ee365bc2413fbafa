"""How far a student's probabilities are from its teacher's (Tarvainen & Valpola, NeurIPS 2017)."""

from torch import Tensor


def consistency(scores: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean squared difference of probabilities over classes.

    Parameters
    ----------
    scores : Tensor
        Scores (B, K, ...) of the student, before the softmax.
    wanted : Tensor
        Probabilities (B, K, ...); no gradient reaches them.

    Returns
    -------
    Tensor
        Loss (B, ...) of each element, from 0 to 2 / K.

    Examples
    --------
    >>> import torch
    >>> from medunsup.semisupervised.losses.consistency import consistency
    >>> consistency(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor([0.2500])
    """
    return (scores.float().softmax(dim=1) - wanted.detach().float()).square().mean(dim=1)
