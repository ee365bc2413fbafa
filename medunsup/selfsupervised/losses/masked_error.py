"""The loss of masked reconstruction: how wrong the hidden part of the brain was filled in."""

from typing import Literal

from torch import Tensor

from medunsup.nn.losses import inside_mean
from medunsup.selfsupervised.losses._precision import in_float32


@in_float32
def masked_error(
    reconstruction: Tensor,
    target: Tensor,
    hidden: Tensor,
    masks: Tensor,
    *,
    kind: Literal["squared", "absolute"] = "squared",
) -> Tensor:
    """Mean error over voxels that were hidden and lie inside the brain mask.

    He et al., Masked autoencoders are scalable vision learners, CVPR 2022; the error is `squared` there, and
    `absolute` in Xie et al., SimMIM, CVPR 2022. Voxels outside the mask never count, not even if NaN: the
    mask would be learned instead of anatomy.

    Parameters
    ----------
    reconstruction, target : Tensor
        Values (N, C, ...) as the network gives them and as they were.
    hidden, masks : Tensor
        (N, 1, ...) bool: what the network did not see, and the brain.
    kind : {'squared', 'absolute'}, default 'squared'
        What is averaged.

    Returns
    -------
    Tensor
        Mean over each item's counted voxels and channels, then over items; one without any counts as 0.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.losses.masked_error import masked_error
    >>> ones, half = torch.ones(1, 1, 2, 4), torch.arange(8).reshape(1, 1, 2, 4) < 4
    >>> float(masked_error(ones, 3 * ones, half, ones > 0))
    4.0
    """
    counted = hidden & masks
    error = reconstruction.masked_fill(~counted, 0.0) - target.masked_fill(~counted, 0.0)
    return inside_mean(error.square() if kind == "squared" else error.abs(), counted)
