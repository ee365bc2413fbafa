"""Contrastive learning with a covariate: people of like age are no negatives."""

import torch
from torch import Tensor

from medunsup.selfsupervised.losses._pairs import cosine
from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def y_aware(
    first: Tensor, second: Tensor, covariates: Tensor, *, bandwidth: float = 5.0, temperature: float = 0.1
) -> Tensor:
    """Cross-entropy towards all views of a batch, weighted by how close their covariates are.

    Dufumier et al., Contrastive learning with continuous proxy meta-data for 3D MRI classification,
    MICCAI 2021. Weights are a Gaussian kernel and sum to 1 for each view; the view itself has none.

    Parameters
    ----------
    first, second : Tensor
        Embeddings (N, D) of two views of the same items, of any length.
    covariates : Tensor
        What is known of each item, (N,) or (N, P), such as age in years.
    bandwidth : float, default 5.0
        Standard deviation of the kernel, in the covariates' unit; towards 0 this becomes `nt_xent`.
    temperature : float, default 0.1
        What similarities are divided by, above 0.

    Returns
    -------
    Tensor
        Mean over 2N views, in nats; ln(2N - 1) if all embeddings are equal.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.y_aware import y_aware
    >>> round(float(y_aware(torch.ones(4, 3), torch.ones(4, 3), torch.arange(4.0)).exp()), 3)
    7.0
    """
    views = torch.cat([first, second])
    is_self = torch.eye(len(views), dtype=torch.bool, device=views.device)
    known = covariates.to(views).reshape(len(first), -1).repeat(2, 1) / bandwidth
    squares = (known[:, None] - known).square().sum(dim=2)
    weights = (-squares / 2).masked_fill(is_self, -torch.inf).softmax(dim=1)
    logits = (cosine(views, views) / temperature).masked_fill(is_self, -torch.inf)
    return -(weights * logits.log_softmax(dim=1).masked_fill(is_self, 0.0)).sum(dim=1).mean()
