"""Do the intensities say what the contrast's name says, free of bias and ghosts? Medians, ends, ghosting."""

import numpy as np

from medunsup.preprocess.intensity.white_bias import field_in
from medunsup.tissue.base import Array, TissueInput, TissueMethod
from medunsup.tissue.quality.sample import Atlas, Mask, Sample

SURE = 0.8
ENOUGH_VOXELS = 50
PURE = 0.9
THICK_MM = 3.0
NEAR_MM, FAR_MM = 2.0, 8.0
LINES_MM = 2.0
ENOUGH_PAIRS = 200
DARKEST = 0.02  # scaled intensity: what lies at the scale's dark end has no logarithm


def medians(values: Array, sample: Sample, atlas: Atlas) -> tuple[float, float, float] | None:
    """Median intensity of GM, WM and CSF where the template is sure of them; None if too little is.

    `values` (N,) are one channel's at the sampled voxels of the mask, in the scaled units of the fit.
    """
    found = []
    for prior in (atlas.gm, atlas.wm, atlas.csf):
        at = values[prior[sample.mask] >= SURE]
        if at.size < ENOUGH_VOXELS:
            return None
        found.append(float(np.median(at)))
    return found[0], found[1], found[2]


def bias_left(values: Array, sample: Sample, atlas: Atlas) -> dict[str, float]:
    """How much brighter one end of white matter is than the other after all correction, in percent.

    `values` (N,) are one T1w channel's at the sampled voxels. White matter is where the template is sure of
    it, whatever its label: under a strong field labels follow the field.
    """
    prior = np.stack([part[sample.mask] for part in (atlas.gm, atlas.wm, atlas.csf)])
    position = atlas.position_mm[:, sample.mask].astype(np.float64)
    found = field_in(np.maximum(values.astype(np.float64), DARKEST), prior, position)
    return {} if found is None else {"bias_left_percent": 100 * (found.ratio - 1)}


def ghosting(data: TissueInput, fitted: TissueMethod, white: int, contrast: float) -> dict[str, float]:
    """Noise of pure white matter, and its unevenness between 2 and 8 mm, in percent of the GM-WM contrast.

    Half the mean squared difference of two voxels at some distance is the noise's variance, plus what
    changes over that distance. What it gains from 2 to 8 mm is not noise (which is the same at both) nor
    bias (which is smooth), but ghosts and the ringing of a head that moved. The axes' root mean square.
    `white` is the class of white matter, `contrast` the distance of GM and WM in units of the fit.
    """
    thin = [axis for axis in range(3) if data.spacing_mm[axis] <= THICK_MM]
    field, fractions = fitted.bias_field_, fitted.fractions_[white]
    even = data.intensity[0] if field is None else data.intensity[0] / field[0]
    pairs = [_near_and_far(even, fractions, data.spacing_mm, axis) for axis in thin]
    found = [pair for pair in pairs if pair is not None]
    if not found or contrast <= 0:
        return {}
    gained = sum(max(far - near, 0.0) for near, far in found) / len(found)
    return {
        "ghosting_percent": 100 * gained**0.5 / contrast,
        "noise_percent": 100 * min(near for near, _ in found) ** 0.5 / contrast,
    }


def _near_and_far(
    even: Array, fractions: Array, spacing_mm: tuple[float, float, float], axis: int
) -> tuple[float, float] | None:
    """Half the mean squared differences at 2 and 8 mm along whole lines about 2 mm apart."""
    lines = [slice(None, None, max(1, round(LINES_MM / length))) for length in spacing_mm]
    lines[axis] = slice(None)
    at = (lines[0], lines[1], lines[2])
    values = np.moveaxis(even[at], axis, 0)
    is_pure = np.moveaxis(fractions[at], axis, 0) > PURE
    lags = [max(1, round(distance / spacing_mm[axis])) for distance in (NEAR_MM, FAR_MM)]
    near, far = (_half_squared_difference(values, is_pure, lag) for lag in lags)
    return None if near is None or far is None else (near, far)


def _half_squared_difference(values: Array, is_pure: Mask, lag: int) -> float | None:
    pairs = is_pure[lag:] & is_pure[:-lag]
    if pairs.sum() < ENOUGH_PAIRS:
        return None
    difference = values[lag:][pairs] - values[:-lag][pairs]
    return float(np.mean(difference**2, dtype=np.float64)) / 2
