"""How the brightness of a scan changes beside healthy scans: another bias field than theirs."""

import numpy as np

from medunsup.preprocess.intensity.white_bias import quadratic_basis
from medunsup.training.scan_stack import Array, Mask

EVERY = 3  # of the voxels
KEPT_SHARE = 0.6
N_ITERATIONS = 10
LEAST_VOXELS = 200


def field_ratio(values: Array, healthy: Array, shared: Mask) -> float:
    """Ratio of the brightest to the dimmest place of a smooth field between a scan and healthy scans.

    All are (I, J, K) on one grid. The scan is taken as the healthy mean times a polynomial of second
    degree, plus a constant (a field widens the scale a scan is brought to), fitted to the 60 % of voxels that
    this explains best, so that a lesion does not bend it; the ratio is that of the polynomial's 99th and 1st
    percentile. NaN where too few voxels are shared.
    """
    used = np.flatnonzero(shared)[::EVERY]
    if used.size < LEAST_VOXELS:
        return float("nan")
    seen, usual = (image.reshape(-1)[used].astype(np.float64) for image in (values, healthy))
    place = np.stack(np.unravel_index(used, values.shape)).astype(np.float64)
    low, high = place.min(axis=1), place.max(axis=1)
    basis = quadratic_basis(place, (low + high) / 2, np.maximum((high - low) / 2, 1)).T
    design = np.column_stack([basis * usual[:, None], np.ones(used.size)])
    kept = np.ones(used.size, dtype=bool)
    for _ in range(N_ITERATIONS):
        coefficients = np.linalg.lstsq(design[kept], seen[kept], rcond=None)[0]
        residual = np.abs(seen - design @ coefficients)
        now = residual <= np.quantile(residual, KEPT_SHARE)
        if (now == kept).all():
            break
        kept = now
    dim, bright = np.percentile(basis @ coefficients[:-1], (1, 99))
    return float(bright / dim) if dim > 0 else float("nan")
