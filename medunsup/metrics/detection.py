"""How well a score map finds lesions, voxel by voxel. Arrays only: nothing here knows a model or a file.

A voxel counts as found where its score is above the threshold (score > threshold). What is measured are the
voxels of the brain mask and of the lesions: a lesion voxel outside the mask is found at no threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix_at_thresholds

from medunsup.core.errors import GeometryError, InputError
from medunsup.metrics.components import components

Scores = NDArray[np.floating]
Mask = NDArray[np.bool_]

AUPRO_LIMIT = 0.3
NAN = float("nan")


@dataclass(frozen=True)
class Detection:
    """One scan's figures, over the voxels of its brain mask and lesions.

    `n_outside` lesion voxels lie outside the mask and count as missed. `average_precision` is to be read
    beside `prevalence`, which is what chance reaches. `oracle_dice` is the best Dice over all thresholds,
    chosen with the truth at hand: no user can reach it on purpose. Figures without a meaning (no lesion, or
    nothing but lesion) are NaN, so that a mean over scans is not flattered.
    """

    n_voxels: int
    n_lesion_voxels: int
    n_outside: int
    prevalence: float
    average_precision: float
    auroc: float
    aupro: float
    oracle_dice: float
    oracle_threshold: float


def detection(score_map: Scores, truth: Mask, mask: Mask) -> Detection:
    """Measure one scan's score map (I, J, K) against the true lesions; scores outside the mask do not count.

    The scores are sorted twice, once for all figures of voxels and once for AUPRO; memory stays at some
    arrays of the mask's voxels.

    Raises GeometryError if shapes differ, InputError if the mask is empty or a score in it is not finite.
    """
    scores, is_lesion = _voxels(score_map, truth, mask)
    n_lesion = int((truth > 0).sum())
    n_outside = n_lesion - int(is_lesion.sum())
    n_voxels = scores.size + n_outside
    prevalence = n_lesion / n_voxels
    if n_lesion == 0 or is_lesion.all():
        return Detection(n_voxels, n_lesion, n_outside, prevalence, NAN, NAN, NAN, NAN, NAN)
    _, false, _, found, thresholds = confusion_matrix_at_thresholds(is_lesion, scores)
    overlaps = 2 * found / (n_lesion + found + false)
    best = int(np.argmax(overlaps))
    return Detection(
        n_voxels=n_voxels,
        n_lesion_voxels=n_lesion,
        n_outside=n_outside,
        prevalence=prevalence,
        average_precision=_precision_over_recall(false, found, n_lesion),
        auroc=_area(false / false[-1], found / n_lesion),
        aupro=aupro(score_map, truth, mask),
        oracle_dice=float(overlaps[best]),
        oracle_threshold=float(np.nextafter(thresholds[best], np.float32(-np.inf))),
    )


def average_precision(score_map: Scores, truth: Mask, mask: Mask) -> float:
    """Average precision of a score map: how pure the highest scores are.

    Parameters
    ----------
    score_map : ndarray of shape (I, J, K)
        Score of each voxel; higher is more anomalous.
    truth : ndarray of shape (I, J, K), bool
        True lesions. A lesion voxel outside the mask is found at no threshold.
    mask : ndarray of shape (I, J, K), bool
        Brain mask; scores outside do not count.

    Returns
    -------
    float
        In [0, 1]. To be read beside the prevalence, which is what chance reaches. NaN if there is no lesion
        or nothing else.

    Raises
    ------
    GeometryError
        If shapes differ.
    InputError
        If the mask is empty, or a score in it is not finite.

    References
    ----------
    Davis and Goadrich (2006), The relationship between precision-recall and ROC curves. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics import average_precision
    >>> truth = np.zeros((8, 8, 8), bool)
    >>> truth[2:4, 2:4, 2:4] = True
    >>> average_precision(truth.astype(float), truth, np.ones((8, 8, 8), bool))
    1.0
    """
    scores, is_lesion = _voxels(score_map, truth, mask)
    n_lesion = int((truth > 0).sum())
    if n_lesion == 0 or is_lesion.all():
        return NAN
    _, false, _, found, _ = confusion_matrix_at_thresholds(is_lesion, scores)
    return _precision_over_recall(false, found, n_lesion)


def overlap(marked: Mask, truth: Mask) -> dict[str, float]:
    """Dice, precision and recall of marked voxels; NaN where there is nothing to divide by."""
    found, n_marked, n_lesion = int((marked & truth).sum()), int(marked.sum()), int(truth.sum())
    return {
        "dice": 2 * found / (n_marked + n_lesion) if n_marked + n_lesion else NAN,
        "precision": found / n_marked if n_marked else NAN,
        "recall": found / n_lesion if n_lesion else NAN,
    }


def aupro(score_map: Scores, truth: Mask, mask: Mask, *, limit: float = AUPRO_LIMIT) -> float:
    """Area under the per-region overlap curve: each lesion weighs the same, however large.

    Parameters
    ----------
    score_map : ndarray of shape (I, J, K)
        Score of each voxel; higher is more anomalous.
    truth : ndarray of shape (I, J, K), bool
        True lesions. A lesion voxel outside the mask is found at no threshold.
    mask : ndarray of shape (I, J, K), bool
        Brain mask; scores outside do not count.
    limit : float in (0, 1], default 0.3
        Share of healthy voxels marked up to which the curve is taken.

    Returns
    -------
    float
        Mean share of a lesion that is found, over the share of healthy voxels marked up to `limit`, divided
        by it: 1 is perfect, `limit / 2` is chance. NaN if lesions or healthy voxels are missing.

    Raises
    ------
    GeometryError
        If shapes differ.
    InputError
        If the mask is empty, or a score in it is not finite.

    References
    ----------
    Bergmann et al. (2021), The MVTec anomaly detection dataset. IJCV 129.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics import aupro
    >>> truth = np.zeros((8, 8, 8), bool)
    >>> truth[2:4, 2:4, 2:4] = True
    >>> aupro(truth.astype(float), truth, np.ones((8, 8, 8), bool))
    1.0
    """
    scores, is_lesion = _voxels(score_map, truth, mask)
    labels, n_lesions = components(truth > 0, voxel_mm3=1.0)
    if n_lesions == 0 or is_lesion.all():
        return NAN
    of_voxel = labels[mask.astype(bool)]
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=n_lesions + 1), 1)
    weights = 1.0 / (sizes * np.where(np.arange(n_lesions + 1) > 0, n_lesions, 1))
    _, false, _, overlap, _ = confusion_matrix_at_thresholds(
        is_lesion, scores, sample_weight=weights[of_voxel]
    )
    inside = false <= limit
    end = np.interp(limit, np.append(0, false), np.append(0, overlap))
    return _area(np.append(false[inside], limit), np.append(overlap[inside], end)) / limit


def _precision_over_recall(false: NDArray[np.floating], found: NDArray[np.floating], n_lesion: int) -> float:
    return float(np.sum(np.diff(found, prepend=0) / n_lesion * found / (found + false)))


def _area(along: NDArray[np.floating], height: NDArray[np.floating]) -> float:
    """Area by trapezia under a curve that begins at (0, 0)."""
    return float(np.trapezoid(np.append(0.0, height), np.append(0.0, along)))


def _voxels(score_map: Scores, truth: Mask, mask: Mask) -> tuple[Scores, Mask]:
    if not score_map.shape == truth.shape == mask.shape:
        raise GeometryError(
            f"Score map {score_map.shape}, truth {truth.shape} and mask {mask.shape} differ in shape. "
            "Resample them onto one grid first."
        )
    inside = mask.astype(bool)
    scores = score_map[inside]
    if scores.size == 0:
        raise InputError("The mask is empty: there is no voxel to measure.")
    if not np.isfinite(scores).all():
        raise InputError(
            f"{int((~np.isfinite(scores)).sum())} scores inside the mask are not finite numbers. "
            "Look for divisions by zero in the score."
        )
    return scores, truth[inside].astype(bool)
