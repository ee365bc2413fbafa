"""Move the registered atlas mask onto this brain's own surface, by intensities of any contrast.

First the template's mask is a prior, and a voxel near its boundary joins the brain if it looks like the
scan's own GM, WM or CSF rather than like what lies outside. Then the mask grows through fluid up to the bone,
because a shrunken brain leaves more fluid around it than the average brain has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.geometry import Grid
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.intensities import TissueLook, tissue_look
from medunsup.preprocess.geometry.morphology import (
    Mask,
    closing,
    fill_holes,
    largest_component,
    opening,
    signed_distance,
)
from medunsup.preprocess.geometry.resample import bounding_box, crop, refine_thick_axes, resampled, shrink
from medunsup.preprocess.geometry.template import Template
from medunsup.preprocess.registration.affine import Registration

MARGIN_MM = 20.0
SURELY_INSIDE_MM = 2.0
PRIOR_WIDTH_MM = 2.0
NEIGHBOUR_WIDTH_MM = 2.0
NEIGHBOUR_WEIGHT = 8.0
OUTER_SHELL_MM = 8.0
LIMIT_MM = 12.0
N_ITERATIONS = 5
N_BINS = 64
MAX_LOG_RATIO = 4.0
NEAR_SURFACE = {"GM": 0.25, "WM": 0.05, "CSF": 0.4, "GM-CSF": 0.3}
BRIDGE_MM = 3.0
CLEFT_MM = 5.0


@dataclass(frozen=True)
class Growth:
    """How the mask grows through fluid: see `grow_through_fluid`."""

    reach_mm: float = 10.0
    toward_bone: float = 0.5
    sd_below: float = 1.1
    toward_gm: float = 0.25
    sd_above: float = 2.5
    least_contrast: float = 0.1
    bridge_mm: float = 6.0
    smoothing_mm: float = 1.0


@dataclass(frozen=True)
class Surface:
    """Two masks on a coarse working grid around the brain: the registered MNI mask and the fitted one.

    `reaches_bone` says whether fluid and bone could be told apart, so that the fitted one ends at the bone.
    """

    work: Volume
    registered: Mask
    fitted: Mask
    reaches_bone: bool = True


def fit_surface(
    image: Volume, registration: Registration, template: Template, rule: Growth | None = None
) -> Surface:
    """Find the brain with its fluid up to the bone, cerebellum and brain stem included.

    Works at about 2 mm in a box around the registered mask; the scan itself is never copied.
    """
    scan, registered = _box(image, registration, template)
    distance = signed_distance(registered, scan.spacing_mm)
    maps = [shrink(part) for part in (template.gm, template.wm, template.csf)]
    priors = [registration.to_scan(part, scan.grid) for part in maps]
    look = tissue_look(scan.data, priors, registered & (distance > SURELY_INSIDE_MM), scan.spacing_mm)
    brain = _reclassify(look, registered, distance, scan.spacing_mm)
    grown, reaches_bone = _grown(look, brain, scan.spacing_mm, rule or Growth())
    return Surface(scan, registered, grown, reaches_bone)


def onto_grid(mask: Mask, work: Volume, grid: Grid) -> NDArray[np.bool_]:
    """Resample a mask from a coarse grid to a fine one by its signed distance, which keeps it smooth."""
    box = bounding_box(mask, (3, 3, 3))
    near = crop(work.like(mask, kind="mask"), box)
    distance = signed_distance(near.data, near.spacing_mm)
    return resampled(Volume(distance, near.affine), grid, outside=-MARGIN_MM) > 0


def _box(image: Volume, registration: Registration, template: Template) -> tuple[Volume, Mask]:
    scan = refine_thick_axes(shrink(image))
    # Air is the zero of the multiplicative bias, whatever offset the scan was stored with.
    scan = scan.like(scan.data - np.float32(np.percentile(scan.data, 0.5)))
    registered = registration.to_scan(template.mask, scan.grid) > 0.5
    i, j, k = (int(np.ceil(MARGIN_MM / spacing)) for spacing in scan.spacing_mm)
    box = bounding_box(registered, (i, j, k))
    return crop(scan, box), registered[box]


def _reclassify(
    look: TissueLook, registered: Mask, distance: NDArray[np.float32], spacing_mm: tuple[float, float, float]
) -> Mask:
    """Decide brain or not near the registered mask's boundary: prior, likelihood, neighbours, in turns."""
    level, centers = _levels(look.corrected, registered)
    inside = _density_inside(look, centers)
    prior = distance / PRIOR_WIDTH_MM
    brain_prob = _logistic(prior)
    shell = (distance > -OUTER_SHELL_MM) & (distance < SURELY_INSIDE_MM)
    for _ in range(N_ITERATIONS):
        outside = _smooth_density(np.bincount(level[shell], (1 - brain_prob)[shell], N_BINS).astype(float))
        ratio = np.clip(np.log(inside / outside), -MAX_LOG_RATIO, MAX_LOG_RATIO).astype(np.float32)
        around = ndimage.gaussian_filter(brain_prob, [NEIGHBOUR_WIDTH_MM / length for length in spacing_mm])
        brain_prob = _logistic(prior + ratio[level] + NEIGHBOUR_WEIGHT * (around - 0.5))
        brain_prob[distance > LIMIT_MM] = 1
        brain_prob[distance < -LIMIT_MM] = 0
    brain = largest_component(opening(brain_prob > 0.5, BRIDGE_MM, spacing_mm))
    return fill_holes(closing(brain, CLEFT_MM, spacing_mm))


def grow_through_fluid(
    look: TissueLook, brain: Mask, spacing_mm: tuple[float, float, float], rule: Growth | None = None
) -> Mask:
    """Add connected voxels that look like fluid, up to `reach_mm` outward.

    Fluid is brighter than halfway from bone to CSF (and than CSF less `sd_below` sd), and no farther toward
    GM than `toward_gm`. Where bone and CSF look alike (FLAIR), nothing is added. Leaks thinner than twice
    `bridge_mm` are cut.
    """
    return _grown(look, brain, spacing_mm, rule or Growth())[0]


def _grown(
    look: TissueLook, brain: Mask, spacing_mm: tuple[float, float, float], rule: Growth
) -> tuple[Mask, bool]:
    """Do what `grow_through_fluid` does, and say whether fluid and bone could be told apart."""
    distance = signed_distance(brain, spacing_mm)
    limits = _fluid_range(look, distance, rule)
    if limits is None:
        return brain, False
    smooth = ndimage.gaussian_filter(look.corrected, [rule.smoothing_mm / length for length in spacing_mm])
    is_open = brain | ((smooth > limits[0]) & (smooth < limits[1]) & (distance > -rule.reach_mm))
    n_steps = round(rule.reach_mm / min(spacing_mm))
    faces = ndimage.generate_binary_structure(3, 1)
    grown = ndimage.binary_dilation(brain, faces, iterations=n_steps, mask=is_open)
    grown = largest_component(opening(grown, rule.bridge_mm, spacing_mm)) | brain
    return fill_holes(closing(grown, CLEFT_MM, spacing_mm)), True


def _fluid_range(look: TissueLook, distance: NDArray[np.float32], rule: Growth) -> tuple[float, float] | None:
    """Intensities of fluid that are neither bone nor tissue; None if fluid and bone look alike."""
    gm, _, csf = look.mean
    shell = look.corrected[(distance < -2) & (distance > -9)]
    if not shell.size:
        return None
    bone = float(np.percentile(shell, 20))
    if csf - bone < rule.least_contrast * (max(look.mean) - bone):
        return None
    low = max(bone + rule.toward_bone * (csf - bone), csf - rule.sd_below * look.sd[2])
    high = csf + rule.toward_gm * (gm - csf) if gm > csf else csf + rule.sd_above * look.sd[2]
    return low, high


def _levels(corrected: NDArray[np.float32], registered: Mask) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Histogram level of every voxel, and the levels' centres."""
    low = float(np.percentile(corrected, 0.5))
    high = float(np.percentile(corrected[registered], 99.5)) * 1.3
    if not high > low:  # nothing in the head is brighter than the air
        high = float(corrected.max())
    scaled = (corrected - low) * (N_BINS / ((high - low) or 1.0))
    centers = low + (np.arange(N_BINS) + 0.5) * (high - low) / N_BINS
    return np.clip(scaled, 0, N_BINS - 1).astype(np.intp), centers


def _density_inside(look: TissueLook, centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Model what the brain looks like near its surface: mostly fluid, grey matter and their mixtures."""
    gm, wm, csf = (_gaussian(centers, mean, sd) for mean, sd in zip(look.mean, look.sd, strict=True))
    mixed = np.zeros_like(centers)
    for share in (0.2, 0.35, 0.5, 0.65, 0.8):
        mean = look.mean[2] + share * (look.mean[0] - look.mean[2])
        mixed += _gaussian(centers, mean, look.sd[2] + share * (look.sd[0] - look.sd[2])) / 5
    parts = {"GM": gm, "WM": wm, "CSF": csf, "GM-CSF": mixed}
    density = sum((NEAR_SURFACE[name] * part for name, part in parts.items()), np.zeros_like(centers))
    return np.asarray((density + 1e-3 / N_BINS) / (1 + 1e-3))


def _smooth_density(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    smooth = ndimage.gaussian_filter1d(counts, 1.0)
    smooth += 1e-3 * max(smooth.sum(), 1e-6) / N_BINS  # counts of voxels
    return np.asarray(smooth / smooth.sum())


def _gaussian(centers: NDArray[np.float64], mean: float, sd: float) -> NDArray[np.float64]:
    density = np.exp(-0.5 * ((centers - mean) / sd) ** 2) + 1e-30
    return np.asarray(density / density.sum())


def _logistic(value: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float32)
