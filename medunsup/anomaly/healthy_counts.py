"""What each healthy scan shows at each threshold: the share of its mask marked, and connected components."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError
from medunsup.metrics.components import components
from medunsup.metrics.histogram import ScoreHistogram
from medunsup.training.scan_stack import Array, Mask

MOST_COMPONENTS = 100
N_KNOTS = 512


def marked_share(score_map: Array, mask: Mask, thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the mask (I, J, K) above each threshold (T,)."""
    ordered = np.sort(scores_inside(score_map, mask))
    above = ordered.size - np.searchsorted(ordered, thresholds, side="right")
    return np.asarray(above / ordered.size, dtype=np.float32)


def n_components(
    score_map: Array, mask: Mask, thresholds: NDArray[np.float32], voxel_mm3: float, least_mm3: float
) -> NDArray[np.int32]:
    """Most components at each threshold (T,) or a higher one; counting ends beyond `MOST_COMPONENTS`."""
    scores = np.where(mask, score_map, -np.inf)
    most = np.zeros(thresholds.size, dtype=np.int32)
    for n, threshold in enumerate(thresholds):
        count = components(scores > threshold, voxel_mm3=voxel_mm3, least_mm3=least_mm3)[1]
        most[n:] = max(count, most[n])
        if count > MOST_COMPONENTS:
            break
    return most


def tail_table(pooled: ScoreHistogram) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Thin the pooled tail out to at most N_KNOTS scores, evenly in -log10 of their share."""
    edges, at_least = pooled.tail()
    nlog10p = -np.log10((1 + at_least) / (1 + pooled.total))
    even = np.linspace(nlog10p[0], nlog10p[-1], N_KNOTS)
    chosen = np.unique(np.minimum(np.searchsorted(-nlog10p, -even), nlog10p.size - 1))[::-1]
    return edges[chosen], np.asarray(nlog10p[chosen], dtype=np.float32)


def scores_inside(score_map: Array, mask: Mask) -> Array:
    """Scores inside the mask. Raises InputError as `finite` does."""
    return finite(score_map[mask])


def finite(scores: NDArray[Any]) -> NDArray[Any]:
    """Hand scores on. Raises InputError if there are none or one is not a finite number."""
    if scores.size == 0 or not np.isfinite(scores).all():
        raise InputError(
            "A healthy calibration scan has an empty mask or a score that is not a finite number."
        )
    return scores
