"""The outline of the head: where the air begins, how deep each voxel lies, and where the brain may be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.morphology import (
    closing,
    depth,
    fill_slice_holes,
    largest_component,
    opening,
)

SMOOTHING_MM = 1.5
NOSE_AND_EARS_MM = 10.0
BRAIN_HEIGHT_MM = 140.0
CENTER_BELOW_TOP_MM = {True: 60.0, False: 72.0}


@dataclass(frozen=True)
class Head:
    """`mask` (I, J, K): inside the skin, or the brain if stripped; `depth_mm` below the surface, float32.

    The edge of the field of view is no surface. `center_mm` is a first guess of the brain's centre.
    """

    mask: NDArray[np.bool_]
    depth_mm: NDArray[np.float32]
    center_mm: NDArray[np.float64]


def find_head(scan: Volume, *, stripped: bool = False) -> Head:
    """Outline the head on a coarse copy of a scan (about 3 mm), whatever its contrast."""
    mask = _outline(scan)
    padded = np.pad(mask, 4, mode="edge")
    below = depth(padded, scan.spacing_mm)[4:-4, 4:-4, 4:-4]
    return Head(mask, below, _brain_center(scan, mask, stripped))


def otsu(values: NDArray[np.float32], n_bins: int = 128) -> tuple[float, float]:
    """Return the dark end and the threshold between dark and bright (Otsu 1979)."""
    low, high = np.percentile(values, (0.5, 99))
    counts, edges = np.histogram(np.clip(values, low, high), n_bins)
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1].astype(float)
    sums = np.cumsum(counts * middles)
    n, total = float(counts.sum()), sums[-1]
    between = (total * below / n - sums[:-1]) ** 2 / np.maximum(below * (n - below), 1)
    return float(low), float(middles[int(np.argmax(between))])


def _outline(scan: Volume) -> NDArray[np.bool_]:
    spacing = scan.spacing_mm
    smooth = ndimage.gaussian_filter(scan.data, [SMOOTHING_MM / length for length in spacing])
    low, threshold = otsu(smooth)
    # Skin and bone are darker than the mean of the bright class: go halfway down to the air.
    bright = smooth > low + 0.5 * (threshold - low)
    mask = largest_component(opening(bright, 3.0, spacing))
    if not mask.any():
        mask = bright
    return fill_slice_holes(closing(mask, NOSE_AND_EARS_MM, spacing))


def _brain_center(scan: Volume, mask: NDArray[np.bool_], stripped: bool) -> NDArray[np.float64]:
    """Centre of what lies less than a brain's height below the top; leaves the neck out."""
    if not mask.any():
        return scan.grid.center_mm
    world = np.argwhere(mask) @ scan.affine[:3, :3].T + scan.affine[:3, 3]
    up = scan.affine[:3, 2] / np.linalg.norm(scan.affine[:3, 2])
    height = world @ up
    top = np.percentile(height, 99.9)
    center = world[height > top - BRAIN_HEIGHT_MM].mean(axis=0)
    return np.asarray(center + up * (top - CENTER_BELOW_TOP_MM[stripped] - center @ up))
