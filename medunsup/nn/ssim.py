"""Structural similarity that can be trained on."""

from torch import Tensor
from torch.nn import functional

MEANS_ALIKE = 0.01**2
SPREADS_ALIKE = 0.03**2
POOL = {2: functional.avg_pool2d, 3: functional.avg_pool3d}


def structural_similarity(first: Tensor, second: Tensor, *, window: int = 7) -> Tensor:
    """Similarity in [-1, 1] around each voxel of (B, C, ...), each channel on its own.

    Wang et al., Image quality assessment, IEEE Transactions on Image Processing 2004, with a box of `window`
    voxels a side (odd; less on a smaller grid) that is cut at the edges, for values in a range of about 1.
    """
    window = min(window, *(side - 1 + side % 2 for side in first.shape[2:]))
    mean_1, mean_2 = _local_mean(first, window), _local_mean(second, window)
    variance_1 = _local_mean(first.square(), window) - mean_1.square()
    variance_2 = _local_mean(second.square(), window) - mean_2.square()
    covariance = _local_mean(first * second, window) - mean_1 * mean_2
    means = (2 * mean_1 * mean_2 + MEANS_ALIKE) / (mean_1.square() + mean_2.square() + MEANS_ALIKE)
    return means * (2 * covariance + SPREADS_ALIKE) / (variance_1 + variance_2 + SPREADS_ALIKE)


def _local_mean(values: Tensor, window: int) -> Tensor:
    """Mean over a box, one axis after the other, which costs far less than all at once."""
    dims = values.ndim - 2
    for axis in range(dims):
        kernel = [1] * dims
        kernel[axis] = window
        padding = [side // 2 for side in kernel]
        values = POOL[dims](values, kernel, stride=1, padding=padding, count_include_pad=False)
    return values
