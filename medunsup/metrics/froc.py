"""Lesion by lesion: how many are found, with how many false alarms a scan (free-response ROC). Arrays only.

What counts, at a threshold, with connected components and lesions as `components` finds them:

- a marked component is true if at least a tenth of its volume lies in lesions of any size, else a false
  alarm. So one component that floods the brain finds nothing;
- a lesion is found if at least a tenth of its volume lies in true components;
- lesions below `least_lesion_mm3` are neither looked for nor held against the component that marks them;
- marked components below `min_cluster_mm3` are dropped beforehand.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.errors import GeometryError
from medunsup.metrics.components import components
from medunsup.metrics.histogram import ScoreHistogram

Mask = NDArray[np.bool_]
Scores = NDArray[np.floating]

LEAST_VOLUME_MM3 = 10.0
LEAST_SHARE = 0.1
N_THRESHOLDS = 60
LARGEST_SHARE = 0.3


@dataclass(frozen=True)
class LesionCounts:
    """Lesions that are there, those found, and components that mark none."""

    n_lesions: int
    n_found: int
    n_false: int


@dataclass(frozen=True)
class FrocCurve:
    """Free-response curve: lesions found against false positives a scan.

    Attributes
    ----------
    thresholds : ndarray of shape (T,)
        Score thresholds, the highest first.
    sensitivity : ndarray of shape (T,)
        Share of the lesions that is found.
    false_positives : ndarray of shape (T,)
        False positives a scan (FP/scan).
    n_lesions : int
        Lesions in all scans.
    n_scans : int
        Scans.
    """

    thresholds: NDArray[np.floating]
    sensitivity: NDArray[np.float64]
    false_positives: NDArray[np.float64]
    n_lesions: int
    n_scans: int

    def sensitivity_at(self, false_positives: float) -> float:
        """Highest sensitivity at any of the thresholds with at most so many false alarms a scan.

        NaN without lesions.
        """
        allowed = self.sensitivity[self.false_positives <= false_positives]
        return float(np.max(allowed, initial=0.0)) if self.n_lesions else float("nan")


class Froc:
    """Counts scan after scan, in memory that does not grow with their number."""

    def __init__(
        self,
        thresholds: NDArray[np.floating],
        *,
        least_lesion_mm3: float = LEAST_VOLUME_MM3,
        min_cluster_mm3: float = LEAST_VOLUME_MM3,
    ) -> None:
        self.thresholds = np.sort(thresholds)[::-1]
        self.least_lesion_mm3 = least_lesion_mm3
        self.min_cluster_mm3 = min_cluster_mm3
        self._counts = np.zeros((self.thresholds.size, 3), dtype=np.int64)
        self._n_scans = 0

    def add(self, score_map: Scores, truth: Mask, mask: Mask, *, voxel_mm3: float) -> Self:
        """Count one scan: its map (I, J, K) inside the brain mask, all of its lesions, voxels of `voxel_mm3`.

        What of a lesion lies outside the mask is marked at no threshold.
        """
        box = ndimage.find_objects(((truth > 0) | mask).astype(np.uint8))[0]
        scores = np.where(mask[box], score_map[box], -np.inf)
        lesions = _Lesions(truth[box] > 0, voxel_mm3, self.least_lesion_mm3)
        for n, threshold in enumerate(self.thresholds):
            counts = lesions.count(scores > threshold, self.min_cluster_mm3)
            self._counts[n] += (counts.n_lesions, counts.n_found, counts.n_false)
        self._n_scans += 1
        return self

    def curve(self) -> FrocCurve:
        """Return the curve over all scans added so far."""
        n_lesions, n_found, n_false = self._counts.T
        total = int(n_lesions[0]) if n_lesions.size else 0
        sensitivity = n_found / total if total else np.full(n_found.size, np.nan)
        return FrocCurve(self.thresholds, sensitivity, n_false / max(self._n_scans, 1), total, self._n_scans)


def froc_thresholds(scores: ScoreHistogram, *, n: int = N_THRESHOLDS) -> NDArray[np.float32]:
    """Choose thresholds for a curve from all scans' pooled scores: from one voxel marked to 30 % of all."""
    shares = np.geomspace(1 / max(scores.total, 2), LARGEST_SHARE, n)
    return np.unique(scores.thresholds(shares))[::-1]


def count_lesions(
    marked: Mask,
    truth: Mask,
    *,
    voxel_mm3: float,
    least_lesion_mm3: float = LEAST_VOLUME_MM3,
    min_cluster_mm3: float = LEAST_VOLUME_MM3,
) -> LesionCounts:
    """Count lesions found and false alarms of a mask (I, J, K) at a threshold chosen beforehand.

    Raises GeometryError if the shapes differ.
    """
    if marked.shape != truth.shape:
        raise GeometryError(f"The marked mask {marked.shape} and the truth {truth.shape} differ in shape.")
    return _Lesions(truth > 0, voxel_mm3, least_lesion_mm3).count(marked, min_cluster_mm3)


class _Lesions:
    """The true lesions of one scan, numbered once for all thresholds."""

    def __init__(self, truth: Mask, voxel_mm3: float, least_mm3: float) -> None:
        self.truth = truth
        self.voxel_mm3 = voxel_mm3
        self.labels, self.n = components(truth, voxel_mm3=voxel_mm3, least_mm3=least_mm3)
        self.sizes = np.bincount(self.labels.ravel(), minlength=self.n + 1)[1:]

    def count(self, marked: Mask, min_cluster_mm3: float) -> LesionCounts:
        labels, n_marked = components(marked, voxel_mm3=self.voxel_mm3, least_mm3=min_cluster_mm3)
        is_marked = labels > 0
        component = labels[is_marked]
        size = np.bincount(component, minlength=n_marked + 1)
        inside = np.bincount(component, weights=self.truth[is_marked], minlength=n_marked + 1)
        is_true = inside >= LEAST_SHARE * size
        is_true[0] = True
        lesion = self.labels[is_marked][is_true[component]]
        overlap = np.bincount(lesion, minlength=self.n + 1)[1:]
        n_found = int((overlap >= LEAST_SHARE * self.sizes).sum())
        return LesionCounts(self.n, n_found, int((~is_true).sum()))
