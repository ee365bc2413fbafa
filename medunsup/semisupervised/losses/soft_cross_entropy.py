"""Cross-entropy against probabilities instead of one class."""

from torch import Tensor


def soft_cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each element.

    Parameters
    ----------
    scores : Tensor
        Scores (B, K, ...) before the softmax.
    targets : Tensor
        Probabilities (B, K, ...).

    Returns
    -------
    Tensor
        Loss (B, ...) of each element.

    Examples
    --------
    >>> import torch
    >>> from medunsup.semisupervised.losses.soft_cross_entropy import soft_cross_entropy
    >>> soft_cross_entropy(torch.zeros(1, 2), torch.tensor([[0.5, 0.5]]))
    tensor([0.6931])
    """
    return -(targets * scores.float().log_softmax(dim=1)).sum(dim=1)
