"""Three classes of intensity in a scan, where nobody says which tissues it shows."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medunsup.training.scan_stack import Array, Mask, Scans

N_CLASSES = 3
ITERATIONS = 30
ENDS = (0.05, 0.95)  # quantiles that the dark and the bright class begin at
LEAST_SHARE = 1e-3  # of the scan's variance, below which no class shrinks


def with_classes(scans: Scans) -> Scans:
    """Give scans without targets those of `intensity_classes`, each scan's own."""
    if scans.targets is not None:
        return scans
    return replace(scans, targets=np.stack([intensity_classes(values, mask) for values, mask in scans]))


def intensity_classes(values: Array, mask: Mask) -> Array:
    """Probabilities (3, I, J, K) of a dark, a middle and a bright class, 0 outside the mask.

    A mixture of three Gaussians of the first channel of `values` (C, I, J, K), fitted by EM from even
    steps between its ends: the same each time, and the same for any scale and offset of the intensities.
    """
    probabilities = np.zeros((N_CLASSES, *mask.shape), np.float32)
    observed = values[0][mask].astype(np.float64)
    if observed.size:
        probabilities[:, mask] = _mixture(observed)
    return probabilities


def _mixture(observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit (N,) values and return the responsibilities (3, N)."""
    least = LEAST_SHARE * observed.var() + np.finfo(np.float64).tiny
    dark, bright = np.quantile(observed, ENDS)
    means = np.linspace(dark, bright, N_CLASSES)
    variances = np.full(N_CLASSES, observed.var() / N_CLASSES**2 + least)
    weights = np.full(N_CLASSES, 1 / N_CLASSES)
    for _ in range(ITERATIONS):
        found = _responsibilities(observed, weights, means, variances)
        counts = found.sum(axis=1) + np.finfo(np.float64).eps
        means = found @ observed / counts
        variances = (found * (observed - means[:, None]) ** 2).sum(axis=1) / counts + least
        weights = counts / counts.sum()
    order = np.argsort(means, kind="stable")
    return _responsibilities(observed, weights[order], means[order], variances[order])


def _responsibilities(
    observed: NDArray[np.float64],
    weights: NDArray[np.float64],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
) -> NDArray[np.float64]:
    logs = np.log(weights) - 0.5 * np.log(variances)
    logs = logs[:, None] - 0.5 * (observed - means[:, None]) ** 2 / variances[:, None]
    odds = np.exp(logs - logs.max(axis=0))
    return odds / odds.sum(axis=0)
