"""What grey, white and fluid look like on this scan: a mixture led by the registered template maps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]

N_ITERATIONS = 10
PRIOR_FLOOR = 0.02
LEAST_SD_RATIO = 0.25
UNLIKE_ALL = 4e-8  # density of what is like no tissue, beside Gaussians of the widest sd: no unit of its own
TINY = float(np.finfo(np.float32).tiny)  # for a scan of one value, whose spread is 0
BIAS_WIDTH_MM = 25.0
BIAS_LIMIT = 0.7


@dataclass(frozen=True)
class TissueLook:
    """Mean and sd of GM, WM and CSF, in the units of the corrected scan.

    `corrected` (I, J, K) is the scan divided by a smooth `bias` that is 1 on average in the brain.
    """

    mean: tuple[float, float, float]
    sd: tuple[float, float, float]
    corrected: Array
    bias: Array


def tissue_look(
    scan: Array, priors: list[Array], inside: NDArray[np.bool_], spacing_mm: tuple[float, ...]
) -> TissueLook:
    """Estimate the look of GM, WM and CSF on a coarse scan, with its bias field.

    `priors` are the three registered template maps and `inside` the voxels surely within the brain, all
    (I, J, K). EM with a Gaussian a tissue and a bias that is a smoothed mean of log residuals, as in
    Wells et al., IEEE TMI 15 (1996). Works for any contrast: the maps name the tissues, not their order.
    """
    prior = np.stack([np.maximum(part[inside], PRIOR_FLOOR) for part in priors])
    prior /= prior.sum(axis=0)
    bias = np.ones_like(scan)
    posterior = prior
    for iteration in range(N_ITERATIONS):
        values = scan[inside] / bias[inside]
        mean, sd = _moments(values, posterior)
        posterior = _posterior(values, prior, mean, sd)
        if iteration >= 2:
            bias = _bias(scan, inside, posterior, mean, sd, spacing_mm)
    mean, sd = _moments(scan[inside] / bias[inside], posterior)
    return TissueLook(_triple(mean), _triple(sd), scan / bias, bias)


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    gm, wm, csf = (float(value) for value in values)
    return gm, wm, csf


def _moments(values: Array, posterior: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weight = posterior.sum(axis=1, dtype=np.float64)
    mean = (posterior @ values) / weight
    spread = (posterior * (values - mean[:, None]) ** 2).sum(axis=1) / weight
    sd = np.sqrt(spread)
    return mean, np.maximum(sd, LEAST_SD_RATIO * sd.max() + TINY)


def _posterior(values: Array, prior: Array, mean: NDArray[np.float64], sd: NDArray[np.float64]) -> Array:
    distance = ((values - mean[:, None]) / sd[:, None]) ** 2
    density = prior * np.exp(-0.5 * distance) / sd[:, None] + UNLIKE_ALL / sd.max()
    return np.asarray(density / density.sum(axis=0), dtype=np.float32)


def _bias(
    scan: Array,
    inside: NDArray[np.bool_],
    posterior: Array,
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    spacing_mm: tuple[float, ...],
) -> Array:
    """Smooth the log ratio of scan and expected intensity; beyond the brain its nearest values go on."""
    precision = posterior * (mean / sd)[:, None] ** 2
    expected = (mean[:, None] * posterior).sum(axis=0)
    ratio = np.log(np.maximum(scan[inside], 1e-3 * mean.max()) / expected)
    weight = np.zeros_like(scan)
    weight[inside] = np.minimum(precision.sum(axis=0), np.median(precision.sum(axis=0)) * 4)
    weight[inside] *= np.abs(ratio) < BIAS_LIMIT
    residual = np.zeros_like(scan)
    residual[inside] = ratio
    width = [BIAS_WIDTH_MM / length for length in spacing_mm]
    coarse = tuple(slice(None, None, max(1, round(6.0 / length))) for length in spacing_mm)
    step = [part.step for part in coarse]
    sigma = [value / n for value, n in zip(width, step, strict=True)]
    smooth_weight = ndimage.gaussian_filter(weight, [0.5 * n for n in step])[coarse]
    smooth_residual = ndimage.gaussian_filter(weight * residual, [0.5 * n for n in step])[coarse]
    log_bias = ndimage.gaussian_filter(smooth_residual, sigma, truncate=6) / (
        ndimage.gaussian_filter(smooth_weight, sigma, truncate=6) + 1e-6 * smooth_weight.max()
    )
    fine = ndimage.affine_transform(
        log_bias, [1 / n for n in step], output_shape=scan.shape, order=1, mode="nearest"
    )
    fine -= fine[inside].mean()
    return np.asarray(np.exp(fine), dtype=np.float32)
