"""Insert synthetic lesions into healthy scans, so that the truth is known exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from medunsup.core.errors import InputError
from medunsup.training.scan_stack import Array, Mask

Spacing = tuple[float, float, float]

EDGE_MM = 2.0


@dataclass(frozen=True)
class WithLesion:
    """A scan with a lesion: `values` (C, I, J, K) differ from the healthy ones in `truth` (I, J, K) only."""

    values: Array
    truth: Mask


def insert(
    values: Array,
    mask: Mask,
    lesion: Mask,
    *,
    contrast_sd: float | Sequence[float],
    spread: Array,
    spacing_mm: Spacing,
    edge_mm: float = EDGE_MM,
) -> WithLesion:
    """Brighten or darken a lesion (I, J, K) by multiples of the healthy standard deviation at its place.

    The deviation is that of each voxel's intensity over healthy scans, `spread` (C, I, J, K), as
    `VoxelStatistics.sd` holds it. Its median over the lesion, times `contrast_sd` (one number, or one a
    channel), is added, so that the scan's own texture stays. The full contrast is reached `edge_mm` inside
    the lesion's edge. No voxel becomes darker than the scan's darkest in the mask.

    Raises InputError if the lesion holds no voxel of the mask.
    """
    truth, weight = _profile(mask, lesion, edge_mm, spacing_mm)
    contrast = np.broadcast_to(np.asarray(contrast_sd, dtype=np.float32), values.shape[:1])
    shift = contrast * np.median(spread[:, truth], axis=1)
    floor = values[:, mask].min(axis=1)[:, None, None, None]
    shifted = np.maximum(values + shift[:, None, None, None] * weight, floor)
    return WithLesion(np.where(truth, shifted, values).astype(np.float32), truth)


def insert_level(
    values: Array, mask: Mask, lesion: Mask, *, level: float, spacing_mm: Spacing, edge_mm: float = EDGE_MM
) -> WithLesion:
    """Fill a lesion (I, J, K) with one intensity, on the scan's own scale, in every channel.

    The scan fades into `level` over `edge_mm` from its edge inwards. Such lesions show at which intensities a
    score is blind (Meissen et al., On the Pitfalls of Using the Residual Error as Anomaly Score, MIDL 2022).

    Raises InputError if the lesion holds no voxel of the mask.
    """
    truth, weight = _profile(mask, lesion, edge_mm, spacing_mm)
    return WithLesion((values + (level - values) * weight).astype(np.float32), truth)


def _profile(mask: Mask, lesion: Mask, edge_mm: float, spacing_mm: Spacing) -> tuple[Mask, Array]:
    """Return the lesion within the mask, and its weight: 0 outside, rising from its edge inwards to 1."""
    truth = lesion & mask
    if not truth.any():
        raise InputError("The lesion lies outside the brain mask: draw its place inside.")
    depth = ndimage.distance_transform_edt(np.pad(truth, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
    full = min(edge_mm + min(spacing_mm), float(depth.max()))
    return truth, np.minimum(depth / full, 1).astype(np.float32)
