"""A strong bias field, read off white matter where the registered template is sure of it.

White matter of a T1w scan is of nearly one intensity from end to end, so what is smooth in it is bias. A
polynomial of second degree in its logarithm follows a coil or a 7 T field and no lesion; beyond white matter
it goes on as it is, where a freer field would run wild. N4, which sharpens the histogram without a map, found
1.2 of a field of 3.

References
----------
Van Leemput et al., Automated model-based bias field correction of MR images of the brain, IEEE TMI 18 (1999).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.resample import shrink
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.intensity.bias import LEAST_SIDE, LEAST_VOXELS, field_on
from medunsup.preprocess.registration.affine import Registration

SPACING_MM = 4.0
# Ratio of the field's 99th and 1st percentile in sure white matter: up to the first nothing is done, from the
# second on all of it. 14 scans of low bias reach 1.17, one study's scans as they came have 1.4 to 1.6.
STRONG_RATIO = (1.25, 1.4)
WHITE, SURE = 0.5, 0.9  # expected white matter: what the field is fitted to, what its strength is read from
PRIOR_FLOOR = 0.02
LEAST_SD = 0.03  # of the logarithm: a tissue is never narrower than 3 % of its intensity
UNLIKE_ALL = 0.01
N_ITERATIONS = 25
SETTLED = 2e-3
RIDGE = 1e-3
AIR_PERCENT, DARK_PERCENT = 0.5, 0.1
FARTHEST = 1.2  # half widths of the brain: beyond, the field stays as it is there

Array = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WhiteBias:
    """A field: a polynomial of its logarithm in half widths of the brain from the brain's centre.

    `ratio` is the field's 99th percentile over its 1st in sure white matter; `is_t1w` says whether white
    matter is brighter than grey and grey than fluid once the field is taken out. `zero` is the intensity that
    no field changes.
    """

    coefficients: Floats
    center_mm: Floats
    half_mm: Floats
    ratio: float
    is_t1w: bool
    zero: float = 0.0

    def field(self, scan: Volume, power: float) -> Volume:
        """Evaluate the field, raised to `power`, on a coarse copy of a scan's grid."""
        coarse = shrink(scan, SPACING_MM)
        index = np.indices(coarse.shape, dtype=np.float64).reshape(3, -1)
        position = coarse.affine[:3, :3] @ index + coarse.affine[:3, 3:]
        log_field = self.coefficients @ quadratic_basis(position, self.center_mm, self.half_mm)
        return coarse.like(np.exp(power * log_field, dtype=np.float32).reshape(coarse.shape), kind="image")


def white_bias(scan: Volume, mask: Volume, registration: Registration) -> WhiteBias | None:
    """Find the field of a scan whose brain and template's place are known; None where too little is seen.

    Any scale and offset of the scan give the same field.
    """
    small, cover = shrink(scan, SPACING_MM), shrink(mask, SPACING_MM).data > 0.5
    if min(small.shape) < LEAST_SIDE:
        return None
    zero = _zero(scan, mask)
    used = cover & (small.data > zero)
    prior = np.stack([registration.to_scan(part, small.grid)[used] for part in _maps()])
    position = small.affine[:3, :3] @ np.argwhere(used).T + small.affine[:3, 3:]
    found = field_in(small.data[used].astype(np.float64) - zero, prior, position)
    return None if found is None else replace(found, zero=zero)


def field_in(values: Floats, prior: Array, position_mm: Floats) -> WhiteBias | None:
    """Find the field in `values` (N,), all above 0, at `position_mm` (3, N); None if too little is white.

    EM with a Gaussian a tissue in log intensity, led by `prior` (3, N) of GM, WM and CSF; the field is the
    weighted least squares fit of what sure white matter leaves.
    """
    if values.size < LEAST_VOXELS:
        return None
    floored = np.maximum(prior.astype(np.float64), PRIOR_FLOOR)
    expected = floored / floored.sum(axis=0)
    white, sure = expected[1] > WHITE, expected[1] > SURE
    low, high = position_mm.min(axis=1), position_mm.max(axis=1)
    if sure.sum() < LEAST_VOXELS or not (high > low).all():
        return None
    center, half = (high + low) / 2, (high - low) / 2
    basis = quadratic_basis(position_mm, center, half)
    coefficients, (gm, wm, csf) = _fit(np.log(values), expected, white, basis)
    dark, bright = np.percentile((coefficients @ basis)[sure], (1, 99))
    return WhiteBias(coefficients, center, half, float(np.exp(bright - dark)), bool(wm > gm > csf))


def power_of(ratio: float) -> float:
    """How much of a field is taken out: nothing of a weak one, all of a strong one, without a step."""
    weak, strong = STRONG_RATIO
    return float(np.clip((ratio - weak) / (strong - weak), 0, 1))


def even_out(scan: Volume, found: WhiteBias, power: float) -> Volume:
    """Divide a scan by a field found in it, raised to `power`; its zero stays."""
    zero = np.float32(found.zero)
    return scan.like((scan.data - zero) / field_on(found.field(scan, power), scan.grid) + zero)


@lru_cache(maxsize=1)
def _maps() -> tuple[Volume, ...]:
    """Return the template's GM, WM and CSF, coarse."""
    template = load_template()
    return tuple(shrink(part, SPACING_MM) for part in (template.gm, template.wm, template.csf))


def _zero(scan: Volume, mask: Volume) -> float:
    """Zero of the multiplicative bias: the air, or the brain's dark end where a scan was cut or shifted."""
    air = np.percentile(scan.data, AIR_PERCENT)
    return float(min(air, np.percentile(scan.data[mask.data], DARK_PERCENT)))


def _fit(
    values: Floats, prior: Floats, white: NDArray[np.bool_], basis: Floats
) -> tuple[Floats, tuple[float, float, float]]:
    """Coefficients (M,) of the field in `values` (N,), and the mean of GM, WM and CSF without it."""
    bias, posterior = np.zeros_like(values), prior
    coefficients = np.zeros(len(basis))
    for iteration in range(N_ITERATIONS):
        even = values - bias
        weight = posterior.sum(axis=1)
        mean = (posterior @ even) / weight
        spread = (posterior * (even - mean[:, None]) ** 2).sum(axis=1) / weight
        sd = np.maximum(np.sqrt(spread), LEAST_SD)
        density = prior * np.exp(-0.5 * ((even - mean[:, None]) / sd[:, None]) ** 2) / sd[:, None]
        posterior = density / (density.sum(axis=0) + UNLIKE_ALL)
        weighted = basis * (posterior[1] * white)
        normal = weighted @ basis.T
        normal[np.diag_indices(len(basis))] *= 1 + RIDGE
        coefficients = np.linalg.solve(normal, weighted @ (values - mean[1]))
        before, bias = bias, coefficients @ basis
        coefficients[0] -= bias.mean()  # the constant term, so that the field is 1 on average
        bias -= bias.mean()
        if iteration > 4 and np.abs(bias - before).max() < SETTLED:
            break
    gm, wm, csf = (float(value) for value in mean)
    return coefficients, (gm, wm, csf)


def quadratic_basis(position_mm: Floats, center_mm: Floats, half_mm: Floats) -> Floats:
    """All products of up to two of the three coordinates, (10, N); the first is 1."""
    place = (position_mm - center_mm[:, None]) / half_mm[:, None]
    i, j, k = np.clip(place, -FARTHEST, FARTHEST)
    return np.stack([np.ones_like(i), i, j, k, i * i, j * j, k * k, i * j, i * k, j * k])
