"""Tissues of a prepared scan, on the template grid."""

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import TISSUES
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.tissue.base import TissueInput

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


def template_priors(spacing_mm: float) -> Array:
    """Prior probabilities (3, I, J, K) of GM, WM and CSF on the template grid, which sum to 1 everywhere."""
    gm, wm, _ = np.clip(ModelSpace(spacing_mm).tissues, 0, 1)
    priors = np.stack([gm, wm, np.clip(1 - gm - wm, 0, 1)])
    return priors / priors.sum(axis=0)


def tissue_fractions(values: Array, mask: Mask, priors: Array, *, contrast: str, spacing_mm: float) -> Array:
    """Find GM, WM and CSF (3, I, J, K) in a prepared scan, by `atlas_gmm`; they sum to 1 inside the mask."""
    from medunsup.tissue.methods.atlas_gmm import AtlasGmm

    spacing, contrasts = (spacing_mm, spacing_mm, spacing_mm), (contrast,) * len(values)
    data = TissueInput(np.asarray(values), np.asarray(mask), spacing, contrasts, TISSUES, priors * mask)
    return AtlasGmm().fit(data).fractions_
