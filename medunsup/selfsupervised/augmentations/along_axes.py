"""Linear maps of each axis of space, such as smoothing and resizing, as products with matrices."""

from collections.abc import Sequence

import torch
from torch import Tensor

BLOCK = 16  # rows of a matrix that are multiplied at once on a CPU


def along_axes(values: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Map each axis of `values` (B, C, ...) by each item's own matrix (B, new side, side), axis by axis.

    As many products as axes are faster on a CPU than convolutions or interpolation of single voxels, and each
    item has its own map. Without matrices nothing happens.
    """
    for matrix in matrices:  # each product puts the first axis last, so after all they stand as before
        side, *others = values.shape[2:]
        first_last = values.reshape(*values.shape[:2], side, -1).transpose(2, 3)
        values = _product(first_last, matrix).view(*values.shape[:2], *others, matrix.shape[1])
    return values


def _product(values: Tensor, matrix: Tensor) -> Tensor:
    """Multiply (B, C, N, side) by (B, new side, side) transposed.

    Matrices of resizing and smoothing hold little but zeros. On a CPU only the columns are taken that some
    rows need, block by block; on a GPU looking for them costs more than it saves.
    """
    if values.is_cuda or matrix.shape[1] <= 2 * BLOCK:
        return values @ matrix.transpose(1, 2)[:, None]
    done = []
    for rows in matrix.split(BLOCK, dim=1):
        used = rows.count_nonzero((0, 1)).nonzero()
        first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
        needed = rows[:, :, first : last + 1].transpose(1, 2)[:, None]
        done.append(values[..., first : last + 1] @ needed)
    return torch.cat(done, dim=3)
