"""Free-response curves of single scans, laid together. Arrays only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.metrics.froc import Froc, FrocCurve, Mask, Scores, froc_thresholds
from medunsup.metrics.histogram import ScoreHistogram

N_THRESHOLDS = 60


def froc_of_scan(
    score_map: Scores, truth: Mask, mask: Mask, *, voxel_mm3: float, min_cluster_mm3: float = 0.0
) -> FrocCurve:
    """Count lesions found and false alarms of one scan at thresholds that follow from its own scores."""
    thresholds = froc_thresholds(ScoreHistogram().add(score_map[mask]), n=N_THRESHOLDS)
    counts = Froc(thresholds, min_cluster_mm3=min_cluster_mm3)
    return counts.add(score_map, truth, mask, voxel_mm3=voxel_mm3).curve()


def pooled_froc(curves: Sequence[FrocCurve]) -> FrocCurve:
    """Lay the curves of scans together at common thresholds, so that no map has to be kept.

    At a threshold each scan counts as at the lowest of its own thresholds that is not below; above all of
    them nothing is marked. So a scan's count is late by at most one of its own steps.
    """
    thresholds = np.unique(np.concatenate([curve.thresholds for curve in curves]))[::-1]
    found, false = np.zeros(thresholds.size), np.zeros(thresholds.size)
    for curve in curves:
        at = np.searchsorted(-curve.thresholds, -thresholds, side="right")
        found += _from_nothing(curve.sensitivity * curve.n_lesions)[at]
        false += _from_nothing(curve.false_positives * curve.n_scans)[at]
    n_lesions, n_scans = sum(curve.n_lesions for curve in curves), sum(curve.n_scans for curve in curves)
    sensitivity = found / n_lesions if n_lesions else np.full(found.size, np.nan)
    return FrocCurve(thresholds, sensitivity, false / max(n_scans, 1), n_lesions, n_scans)


def _from_nothing(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a count of none before all others; without lesions, nothing is found."""
    return np.append(0.0, np.nan_to_num(counts))
