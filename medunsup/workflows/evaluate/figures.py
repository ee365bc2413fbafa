"""Measure maps and masks of one scan in native space against its true lesions."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.metrics.components import components
from medunsup.metrics.detection import NAN, average_precision, detection, overlap
from medunsup.metrics.froc import FrocCurve, count_lesions
from medunsup.metrics.pooled_froc import froc_of_scan
from medunsup.workflows.evaluate.native_scan import NativeScan

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MapFigures:
    """What a method says of a scan in one number, and how its map matches the lesions.

    `voxels` are figures voxel by voxel, empty without lesions; `froc` counts lesions, None where the truth is
    not known.
    """

    scan_score: float
    voxels: dict[str, float]
    froc: FrocCurve | None


def map_figures(
    native: NativeScan, score_map: Array | None, scan_score: float, min_cluster_mm3: float
) -> MapFigures:
    """Measure a map, if there is one and the truth is known."""
    if score_map is None or native.lesions is None:
        return MapFigures(scan_score, {}, None)
    voxels = asdict(detection(score_map, native.lesions, native.brain)) if native.has_lesions else {}
    froc = froc_of_scan(
        score_map,
        native.lesions,
        native.brain,
        voxel_mm3=native.voxel_mm3,
        min_cluster_mm3=min_cluster_mm3,
    )
    return MapFigures(scan_score, voxels, froc)


def precision(native: NativeScan, score_map: Array) -> float:
    """Average precision of a map; NaN without lesions."""
    if native.lesions is None or not native.has_lesions:
        return NAN
    return average_precision(score_map, native.lesions, native.brain)


def above(native: NativeScan, score_map: Array, threshold: float, min_cluster_mm3: float) -> Mask:
    """Mark what exceeds the threshold in the brain, without small components, as `detect` writes it."""
    marked = (score_map > threshold) & native.brain
    return np.asarray(components(marked, voxel_mm3=native.voxel_mm3, least_mm3=min_cluster_mm3)[0] > 0)


def mask_figures(native: NativeScan, marked: Mask, min_cluster_mm3: float) -> dict[str, float]:
    """Measure a mask of what was found; nothing where the truth is not known."""
    if native.lesions is None:
        return {}
    counts = count_lesions(
        marked, native.lesions, voxel_mm3=native.voxel_mm3, min_cluster_mm3=min_cluster_mm3
    )
    found = {"lesions": counts.n_lesions, "lesions_found": counts.n_found}
    return {**overlap(marked, native.lesions), **found, "false_positives": counts.n_false}
