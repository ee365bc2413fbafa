"""Features of each voxel of one scan: intensity, and mean, deviation and gradient about it at two scales."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SCALES_MM = (1.5, 4.0)
ENDS = (0.5, 99.5)  # percentiles that intensities are cut at: one bright vessel must not make a scale
TINY = 1e-6

Floats = NDArray[np.float32]


def voxel_features(
    image: NDArray[np.floating],
    mask: NDArray[np.bool_],
    spacing_mm: Sequence[float],
    *,
    scales_mm: Sequence[float] = SCALES_MM,
) -> tuple[tuple[str, ...], Floats]:
    """Return names and features (N, D) of the N voxels in `mask` (I, J, K), each of mean 0 and deviation 1.

    `scales_mm` are standard deviations of the Gaussian that means and deviations are taken with. Only voxels
    of the mask are counted, so that what lies outside changes nothing. A feature without spread is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.features.voxels import voxel_features
    >>> image = np.random.default_rng(0).normal(size=(8, 8, 8))
    >>> names, rows = voxel_features(image, np.ones((8, 8, 8), bool), (1.0, 1.0, 1.0))
    >>> len(names), rows.shape
    (7, (512, 7))
    """
    low, high = np.percentile(image[mask], ENDS)
    inside = np.where(mask, np.clip(image, low, high), 0).astype(np.float32)
    names, columns = ["intensity"], [inside[mask]]
    for scale in scales_mm:
        mean, square = _smoothed(inside, mask, spacing_mm, scale)
        sd = np.sqrt(np.maximum(square - mean**2, 0))
        size = _gradient_size(_filled(mean, mask), spacing_mm)
        names += [f"{what}_{scale:g}mm" for what in ("mean", "sd", "gradient")]
        columns += [mean[mask], sd[mask], size[mask]]
    rows = np.stack(columns, axis=1).astype(np.float32)
    spread = rows.std(axis=0, dtype=np.float64)
    scaled = (rows - rows.mean(axis=0, dtype=np.float64)) / np.where(spread > TINY, spread, np.inf)
    return tuple(names), scaled.astype(np.float32)


def _smoothed(
    inside: Floats, mask: NDArray[np.bool_], spacing_mm: Sequence[float], scale: float
) -> tuple[Floats, Floats]:
    """Return local means of values and of their squares, over the mask alone."""
    sigma = [scale / side for side in spacing_mm]
    weights = np.maximum(ndimage.gaussian_filter(mask.astype(np.float32), sigma), TINY)
    mean = ndimage.gaussian_filter(inside, sigma) / weights
    return mean, ndimage.gaussian_filter(np.square(inside), sigma) / weights


def _gradient_size(values: Floats, spacing_mm: Sequence[float]) -> Floats:
    """Return the length of the gradient (I, J, K), per mm; along an axis of one voxel there is none."""
    squares = np.zeros_like(values)
    for axis, side in enumerate(spacing_mm):
        if values.shape[axis] > 1:
            squares += np.square(np.gradient(values, float(side), axis=axis))
    return np.sqrt(squares)


def _filled(mean: Floats, mask: NDArray[np.bool_]) -> Floats:
    """Give voxels outside the value of the nearest one inside, so that the mask's edge is no edge."""
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return mean[tuple(nearest)]
