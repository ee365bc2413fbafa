"""Linear maps of each axis of space, such as smoothing and resizing, as products with matrices."""

from collections.abc import Sequence

import torch
from torch import Tensor

BLOCK = 16  # new voxels of an axis that are computed at once on a CPU


def along_axes(values: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Map each axis of `values` (B, C, ...) by each item's own matrix (B, new side, side), axis by axis.

    As many products as axes are faster on a CPU than convolutions or interpolation of single voxels, and each
    item has its own map. Without matrices nothing happens.
    """
    n_items, n_channels = values.shape[:2]
    for matrix in matrices:  # each product puts the first axis last, so after all they stand as before
        side, *others = values.shape[2:]
        first_last = values.reshape(n_items * n_channels, side, -1).transpose(1, 2)
        mapped = _product(first_last, matrix.repeat_interleave(n_channels, 0).transpose(1, 2))
        values = mapped.view(n_items, n_channels, *others, matrix.shape[1])
    return values


def _product(values: Tensor, matrix: Tensor) -> Tensor:
    """Multiply (N, rows, side) by (N, side, new side).

    Matrices of resizing and smoothing hold little but zeros. On a CPU only the voxels are taken that some of
    the new ones need, block by block; on a GPU looking for them costs more than it saves.
    """
    if values.is_cuda or matrix.shape[2] <= 2 * BLOCK:
        return values @ matrix
    product = values.new_empty(*values.shape[:2], matrix.shape[2])
    for into, block in zip(product.split(BLOCK, 2), matrix.split(BLOCK, 2), strict=True):
        used = block.count_nonzero((0, 2)).nonzero()
        first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
        torch.bmm(values[:, :, first : last + 1], block[:, first : last + 1], out=into)
    return product
