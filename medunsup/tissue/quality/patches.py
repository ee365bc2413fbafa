"""Patches that no tissue describes: white matter as dark as grey matter, or brighter than any tissue (T1w).

A mixture of three tissues gives every voxel one of them, a tumour's and a lesion's too. Measured at about
2 mm where the template is sure; thin sheets, such as the folds of the cortex and vessels, are left out.
"""

import numpy as np
from scipy import ndimage

from medunsup.core.geometry import Affine, Grid
from medunsup.preprocess.geometry.lobes import lobe_at, side_of
from medunsup.preprocess.geometry.morphology import Mask, opening
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.base import Array, TissueInput, TissueMethod

SPACING_MM = 2.0
SURE = 0.8
SMOOTHING_MM = 1.5
GREY_OPENING_MM, BRIGHT_OPENING_MM = 3.0, 2.0
INSIDE_MM = 8.0  # nearer to the boundary lie vessels, fat and dura
BEYOND = 0.6  # of the GM-WM contrast, above the brightest tissue

Found = tuple[dict[str, float], dict[str, str]]


def of_patches(data: TissueInput, fitted: TissueMethod, registration: Registration, affine: Affine) -> Found:
    """Volume in ml of the largest grey patch in white matter and the largest bright one, and where they lie.

    `affine` (4, 4) maps the voxels of `data` to the scan's world mm.
    """
    means = {component.label: component.mean[0] for component in fitted.components_}
    field = fitted.bias_field_
    if field is None or not means.keys() >= {"GM", "WM", "CSF"}:
        return {}, {}
    steps = [max(1, round(SPACING_MM / length)) for length in data.spacing_mm]
    i, j, k = (slice(None, None, step) for step in steps)
    x, y, z = (step * length for step, length in zip(steps, data.spacing_mm, strict=True))
    spacing = (x, y, z)
    mask, values = data.mask[i, j, k], data.intensity[0][i, j, k] / field[0][i, j, k]
    grid = Grid(mask.shape, affine @ np.diag([*steps, 1.0]))
    white = registration.to_scan(load_template().wm, grid) > SURE
    gm, wm, csf = (means[name] for name in ("GM", "WM", "CSF"))
    smooth = _smoothed(values, mask, spacing)
    grey = white & mask & (smooth < (gm + wm) / 2) & (smooth > (gm + csf) / 2)
    inner = ndimage.distance_transform_edt(mask, sampling=spacing) > INSIDE_MM
    bright = inner & (values > max(means.values()) + BEYOND * abs(wm - gm))
    measures, words = {}, {}
    for name, found, radius in (("grey", grey, GREY_OPENING_MM), ("bright", bright, BRIGHT_OPENING_MM)):
        largest = _largest(opening(found, radius, spacing))
        measures[f"{name}_patch_ml"] = float(largest.sum() * np.prod(spacing)) / 1000
        if largest.any():
            to_template = np.linalg.inv(registration.template_to_scan) @ grid.affine
            x_mm, y_mm, z_mm = to_template[:3, :3] @ np.argwhere(largest).mean(axis=0) + to_template[:3, 3]
            words[f"{name}_lobe"] = f"{side_of(x_mm)} {lobe_at((x_mm, y_mm, z_mm))}"
    return measures, words


def _smoothed(values: Array, mask: Mask, spacing: tuple[float, ...]) -> Array:
    """Smooth within the mask, so that noise makes no holes."""
    width = [SMOOTHING_MM / length for length in spacing]
    weight = ndimage.gaussian_filter(mask.astype(np.float32), width)
    return np.asarray(ndimage.gaussian_filter(np.where(mask, values, 0), width) / np.maximum(weight, 1e-3))


def _largest(found: Mask) -> Mask:
    labels, n_labels = ndimage.label(found)
    return np.asarray(labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])) if n_labels else found
