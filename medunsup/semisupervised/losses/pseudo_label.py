"""Cross-entropy against one's own sure answers (Lee, ICML workshop 2013; Sohn et al., NeurIPS 2020)."""

from torch import Tensor
from torch.nn import functional


def pseudo_label(said: Tensor, scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of scores against the likeliest class of what is `said`, where that is sure.

    Parameters
    ----------
    said : Tensor
        Scores (B, K, ...) that pseudo-labels are made of; no gradient reaches them.
    scores : Tensor
        Scores (B, K, ...) that learn.
    threshold : float
        Probability above which a pseudo-label is used; 1 uses none.

    Returns
    -------
    tuple of Tensor
        Loss (B, ...) of each element, 0 where none is used, and which are used, (B, ...) bool.

    Examples
    --------
    >>> import torch
    >>> from medunsup.semisupervised.losses.pseudo_label import pseudo_label
    >>> said = torch.tensor([[4.0, 0.0], [0.1, 0.0]])
    >>> pseudo_label(said, said, 0.9)[1]
    tensor([ True, False])
    """
    best, classes = said.detach().float().softmax(dim=1).max(dim=1)
    used = best > threshold
    return functional.cross_entropy(scores.float(), classes, reduction="none") * used, used
