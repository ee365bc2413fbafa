"""Where each tissue is to be expected: template maps on the scan, and how far they are trusted."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration

Array = NDArray[np.float32]


def tissue_priors(image: Volume, mask: Volume, registration: Registration) -> Array:
    """Prior probabilities of GM, WM and CSF on the scan's grid, (3, I, J, K).

    The template's maps as registered; what GM and WM leave is CSF, also beyond the template's brain. They sum
    to 1 inside `mask` and are 0 outside.
    """
    template = load_template()
    return registered_priors(template.gm, template.wm, image, mask, registration)


def registered_priors(
    gm: Volume, wm: Volume, image: Volume, mask: Volume, registration: Registration
) -> Array:
    """Resample maps of GM and WM onto a scan: (3, I, J, K), sums to 1 inside `mask`, 0 outside."""
    on_scan = [np.clip(registration.to_scan(volume, image.grid), 0, 1) for volume in (gm, wm)]
    priors = np.stack([*on_scan, np.clip(1 - on_scan[0] - on_scan[1], 0, 1)])
    priors /= priors.sum(axis=0)
    priors *= mask.data
    return priors


def log_weights(
    priors: Array,
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    *,
    csf_trust: float,
    gm_wm_trust: float,
    blur_mm: float,
    floor: float,
    deep_wm: float = 0.0,
) -> Array:
    """Tempered log-priors (K, N) at the voxels of `mask`, normalised.

    Maps are blurred by a Gaussian of `blur_mm` and bounded below by `floor`. For GM, WM, CSF the prior of
    CSF against brain tissue is raised to `csf_trust` and that of GM against WM to `gm_wm_trust`: an affine
    fit knows better where the brain ends than where a gyrus runs. `deep_wm` adds to the latter power,
    `deep_wm` times as much where the maps are as sure of WM as `floor` lets them, little where they waver.
    """
    sigma = [blur_mm / length for length in spacing_mm]
    blurred = np.stack(
        [ndimage.gaussian_filter(prior, sigma)[mask] if blur_mm else prior[mask] for prior in priors]
    )
    blurred = np.maximum(blurred, floor)
    if len(blurred) != 3:
        weights = csf_trust * np.log(blurred)
    else:
        gm, wm, csf = blurred
        odds_wm = np.log(wm / gm)
        certainty = np.maximum(odds_wm, 0) / np.log((1 - 2 * floor) / floor)
        odds_wm *= gm_wm_trust * (1 + deep_wm * certainty**2)
        odds_csf = csf_trust * np.log(csf / (gm + wm))
        log_gm = -np.logaddexp(0, odds_wm)
        weights = np.stack([log_gm, log_gm + odds_wm, odds_csf])
    weights -= np.logaddexp.reduce(weights, axis=0)
    return np.asarray(weights, dtype=np.float32)
