"""Is the skull gone already? Detected from the background and the size of what stands out of it."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.surface import onto_grid
from medunsup.preprocess.geometry.morphology import closing, fill_holes, largest_component, opening
from medunsup.preprocess.geometry.resample import shrink

BRAIN_ML = (600.0, 2100.0)
BACKGROUND_SHARE = 0.9
NOISE_SDS = 5.0
ROUNDING = 1e-8  # of the scan's range: differences of the background that are none
BRIGHT_SHARE = 0.06
CLEFT_MM = 4.0
BRIDGE_MM = 2.0
NOISY_SPACING_MM = 2.5


def own_region(image: Volume) -> NDArray[np.bool_] | None:
    """Return the region of a scan that holds nothing but a brain, else None.

    The background may be zero, another constant, or a noise floor. A whole head stands out of its
    background with three to four litres, a brain with less than two; whether it has a brain's shape is for
    the registered template to confirm. (I, J, K) bool, holes filled.
    """
    background = _background(image)
    if background is None:
        return None
    level, spread = background
    return _exact_region(image, level) if spread == 0 else _region_above_noise(image, level, spread)


def _background(image: Volume) -> tuple[float, float] | None:
    """Level and spread of the voxels on the faces of the field of view; None if they hold tissue."""
    faces = np.concatenate([image.data.take(n, axis).ravel() for axis in range(3) for n in (0, -1)])
    level = float(np.median(faces))
    exact = faces == level
    if exact.mean() > BACKGROUND_SHARE:
        return level, 0.0
    spread = 1.4826 * float(np.median(np.abs(faces - level)))
    least = ROUNDING * float(np.ptp(image.data))
    quiet = np.abs(faces - level) < NOISE_SDS * max(spread, least)
    return (level, spread) if quiet.mean() > BACKGROUND_SHARE else None


def _exact_region(image: Volume, level: float) -> NDArray[np.bool_] | None:
    """Take what differs from a constant background; a quick count comes before the costly filling."""
    region = image.data != level
    if not BRAIN_ML[0] / 2 < float(region.sum()) * image.voxel_volume_mm3 / 1000 < BRAIN_ML[1]:
        return None
    region = fill_holes(largest_component(region))
    return region if _is_brain_sized(image.like(region, kind="mask")) else None


def _region_above_noise(image: Volume, level: float, spread: float) -> NDArray[np.bool_] | None:
    """Find what stands out of the noise on a coarse copy, where averaging has quietened it."""
    work = shrink(image, NOISY_SPACING_MM)
    away = np.abs(work.data - np.float32(level))
    away = ndimage.gaussian_filter(away, [1.0 / length for length in work.spacing_mm])
    threshold = max(BRIGHT_SHARE * float(np.percentile(away, 99)), 1.5 * spread)
    spacing = work.spacing_mm
    region = largest_component(opening(away > threshold, BRIDGE_MM, spacing))
    if not _is_brain_sized(work.like(region, kind="mask")):
        return None
    return onto_grid(fill_holes(closing(region, CLEFT_MM, spacing)), work, image.grid)


def _is_brain_sized(region: Volume) -> bool:
    volume_ml = float(region.data.sum()) * region.voxel_volume_mm3 / 1000
    return BRAIN_ML[0] < volume_ml < BRAIN_ML[1]
