"""Feature maps laid where they belong: from the cells of a network to the voxels of its image."""

from collections.abc import Sequence

import torch
from torch import Tensor


def placed(found: Tensor, sides: Sequence[int], *, stride: int, start: float, step: int = 1) -> Tensor:
    """Interpolate a feature map linearly on the grid of its image, or on a coarser one; its ends go on.

    Parameters
    ----------
    found : Tensor of shape (B, C, ...), float
        Feature map; cell n along an axis lies at voxel `start + n * stride`.
    sides : sequence of int
        Sides of what is asked for.
    stride : int
        Voxels that one step in the map stands for.
    start : float
        Voxel in whose place the first cell lies, as `Encoder.starts` says.
    step : int, default 1
        Voxels of the image in each voxel that is asked for: 2 gives half the resolution.

    Returns
    -------
    Tensor of shape (B, C, ...), float
        The map, with these sides.

    Examples
    --------
    >>> import torch
    >>> placed(torch.tensor([[[0.0, 4.0]]]), (5,), stride=4, start=0.0)
    tensor([[[0., 1., 2., 3., 4.]]])
    """
    for axis, side in enumerate(sides, start=2):
        voxels = torch.arange(side, device=found.device, dtype=torch.float32) * step + (step - 1) / 2
        cells = ((voxels - start) / stride).clamp(0, found.shape[axis] - 1)
        low = cells.floor().long()
        high = (low + 1).clamp(max=found.shape[axis] - 1)
        share = (cells - low).to(found.dtype).view(-1, *[1] * (found.ndim - axis - 1))
        found = found.index_select(axis, low).lerp(found.index_select(axis, high), share)
    return found
