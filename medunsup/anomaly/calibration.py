"""Thresholds and p-values from healthy scans alone, scans that no model was trained on.

All guarantees rest on one assumption: the new scan, if healthy, is exchangeable with the calibration scans
(same kind of people, scanner, contrast, preparation). Then its score is equally likely to take any rank among
theirs, whatever the model (Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World, 2005).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.conformal import conformal_p_value, conformal_threshold
from medunsup.anomaly.healthy_counts import (
    MOST_COMPONENTS,
    finite,
    marked_share,
    n_components,
    scores_inside,
    tail_table,
)
from medunsup.core.errors import InputError, UsageError
from medunsup.core.renamed import by_new_names, renamed_property, takes_old_names
from medunsup.core.shown import Shown
from medunsup.metrics.histogram import ScoreHistogram
from medunsup.training.scan_stack import Array, Mask

USUAL_ALPHA, SCANS_FOR_USUAL = 0.05, 19  # the usual false-positive rate, and how many scans support it
N_THRESHOLDS = 192
LARGEST_SHARE = 0.1
RENAMED = {
    "surprise": "nlog10p",
    "least_part_mm3": "min_cluster_mm3",
    "parts": "components",
}  # in states of earlier versions


@dataclass(frozen=True, repr=False)
class Calibration(Shown):
    """What n healthy scans tell of false positives; `calibrate` makes it.

    Attributes
    ----------
    scan_scores : ndarray of shape (n,)
        One number for each scan.
    thresholds : ndarray of shape (T,)
        Score thresholds, the highest first.
    marked_share : ndarray of shape (n, T)
        Share of a scan's brain voxels above each threshold.
    components : ndarray of shape (n, T)
        Most connected components of at least `min_cluster_mm3` at a threshold or any higher one, up to
        a little over 100.
    knots : ndarray of shape (K,)
        Scores, ascending.
    nlog10p : ndarray of shape (K,)
        -log10 empirical p of these: of the share of healthy voxels that score as much or more.
    min_cluster_mm3 : float
        Least volume of a connected component that counts, in mm³.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> maps = np.random.default_rng(0).gamma(2, size=(9, 6, 6, 6)).astype(np.float32)
    >>> masks = np.ones(maps.shape, bool)
    >>> calibration = medunsup.calibrate(maps, masks, maps.mean(axis=(1, 2, 3)), voxel_mm3=8.0)
    >>> calibration.n, calibration.p_value(0.0), calibration.p_value(99.0)
    (9, 1.0, 0.1)
    >>> calibration.scan_threshold(0.1) == float(calibration.scan_scores.max())
    True
    >>> calibration.voxel_threshold(0.001) >= calibration.voxel_threshold(0.01)
    True
    >>> calibration.component_threshold(1) >= calibration.own_component_threshold(1)
    True
    >>> calibration.calibrated_map(maps[0], masks[0]).shape
    (6, 6, 6)
    >>> medunsup.Calibration.from_state(calibration.state()).n
    9
    """

    scan_scores: NDArray[np.float64]
    thresholds: NDArray[np.float32]
    marked_share: NDArray[np.float32]
    components: NDArray[np.int32]
    knots: NDArray[np.float32]
    nlog10p: NDArray[np.float32]
    min_cluster_mm3: float

    surprise = renamed_property("surprise", "nlog10p")
    least_part_mm3 = renamed_property("least_part_mm3", "min_cluster_mm3")
    parts = renamed_property("parts", "components")
    part_threshold = renamed_property("part_threshold", "component_threshold")
    own_part_threshold = renamed_property("own_part_threshold", "own_component_threshold")

    @property
    def n(self) -> int:
        """Number of healthy scans."""
        return self.scan_scores.size

    def p_value(self, scan_score: float) -> float:
        """Return the conformal p-value of a scan among these.

        Parameters
        ----------
        scan_score : float
            Scan-level score; higher is more anomalous.

        Returns
        -------
        float
            (1 + healthy scans that score as much or more) / (n + 1).

        Raises
        ------
        InputError
            If the score is not a number.
        """
        return conformal_p_value(self.scan_scores, scan_score)

    def scan_threshold(self, alpha: float) -> float:
        """Return the scan-level score above which the p-value is at most `alpha`.

        Parameters
        ----------
        alpha : float between 0 and 1
            False-positive rate: a healthy scan lies above the threshold that often.

        Returns
        -------
        float
            The threshold.

        Raises
        ------
        UsageError
            If so few scans cannot support `alpha`; it names the least that can be asked for.
        """
        return conformal_threshold(self.scan_scores, alpha)

    def voxel_threshold(self, share: float, *, alpha: float | None = None) -> float:
        """Return the threshold above which at most `share` of the brain's voxels lie.

        Parameters
        ----------
        share : float from 0 to 1
            Budget: share of voxels that may be marked.
        alpha : float between 0 and 1, optional
            A new healthy scan keeps the budget with probability 1 - alpha. Without it healthy scans keep it
            on average, a new one counted in as if it were the worst of them, which few scans with heavy tails
            break.

        Returns
        -------
        float
            The threshold.

        Raises
        ------
        UsageError
            If so few scans cannot support `alpha`; it names the least that can be asked for.
        """
        return self._within(self.marked_share, share, alpha)

    def component_threshold(self, count: float, *, alpha: float | None = None) -> float:
        """Return the threshold at which a scan shows at most `count` connected components.

        Parameters
        ----------
        count : float from 0 to 100
            Budget: components of at least `min_cluster_mm3` that may be marked (FP/scan).
        alpha : float between 0 and 1, optional
            A new healthy scan keeps the budget with probability 1 - alpha. Without it healthy scans keep it
            on average, a new one counted in as if it were the worst of them, which few scans with heavy tails
            break.

        Returns
        -------
        float
            The threshold.

        Raises
        ------
        UsageError
            If `count` is not from 0 to 100, or so few scans cannot support `alpha`.
        """
        if not 0 <= count <= MOST_COMPONENTS:
            raise UsageError(
                f"Findings in a healthy scan go from 0 to {MOST_COMPONENTS}; {count:g} was asked for."
            )
        return self._within(self.components, count, alpha)

    def own_component_threshold(self, count: float) -> float:
        """Return the threshold at which these very scans show at most `count` components on average.

        A point of their FROC curve, to describe a score; for a new scan it promises nothing.

        Parameters
        ----------
        count : float, 0 or more
            Components of at least `min_cluster_mm3` on average (FP/scan).

        Returns
        -------
        float
            The threshold.
        """
        return float(self.thresholds[_last_within(self.components.mean(axis=0, dtype=np.float64), count)])

    def calibrated_map(self, score_map: Array, mask: Mask) -> Array:
        """Return the -log10 empirical p of each voxel: 3 means one healthy voxel in a thousand.

        It describes a voxel among healthy voxels. Since neighbours go together it is no p-value of the scan.
        It ends where the healthy scores end.

        Parameters
        ----------
        score_map : ndarray of shape (I, J, K)
            Raw score map.
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (I, J, K), float32
            -log10 of the share of healthy voxels that score as much or more, 0 outside the mask.
        """
        nlog10p = np.interp(score_map, self.knots, self.nlog10p)
        return np.asarray(np.where(mask, nlog10p, 0), dtype=np.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything as named arrays.

        Returns
        -------
        dict of str to ndarray
            What `from_state` takes.
        """
        return {name: np.asarray(value) for name, value in asdict(self).items()}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave.

        Parameters
        ----------
        state : dict of str to ndarray
            Named arrays.

        Returns
        -------
        Calibration
            The same calibration.
        """
        values: dict[str, Any] = by_new_names(state, RENAMED)
        values["min_cluster_mm3"] = float(values["min_cluster_mm3"])
        return cls(**values)

    def _within(self, table: NDArray[Any], budget: float, alpha: float | None) -> float:
        if alpha is None:
            with_a_new_one = (table.sum(axis=0, dtype=np.float64) + table.max(axis=0)) / (self.n + 1)
            return float(self.thresholds[_last_within(with_a_new_one, budget)])
        lowest = [self.thresholds[_last_within(row, budget)] for row in table]
        return conformal_threshold(np.asarray(lowest, dtype=np.float64), alpha)


@takes_old_names(least_part_mm3="min_cluster_mm3")
def calibrate(
    score_maps: Sequence[Array],
    masks: Sequence[Mask],
    scan_scores: Sequence[float],
    *,
    voxel_mm3: float,
    min_cluster_mm3: float = 0.0,
) -> Calibration:
    """Learn thresholds and p-values from healthy scans that no model was trained on.

    Maps are read one at a time, some times over, so they may be mapped from disk.

    Parameters
    ----------
    score_maps : sequence of ndarray of shape (I, J, K)
        Raw score map of each healthy scan; higher is more anomalous.
    masks : sequence of ndarray of shape (I, J, K), bool
        Their brain masks.
    scan_scores : sequence of float
        Their scan-level scores.
    voxel_mm3 : float
        Volume of a voxel in mm³.
    min_cluster_mm3 : float, default 0.0
        Connected components smaller than this, in mm³, do not count.

    Returns
    -------
    Calibration
        What these scans tell of false positives.

    Raises
    ------
    InputError
        If there is no scan, if numbers differ, or if a score is not finite.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World. Springer.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> maps = np.random.default_rng(0).gamma(2, size=(9, 6, 6, 6)).astype(np.float32)
    >>> masks = np.ones(maps.shape, bool)
    >>> calibration = medunsup.calibrate(maps, masks, maps.mean(axis=(1, 2, 3)), voxel_mm3=8.0)
    >>> calibration.n
    9
    """
    if not len(score_maps) == len(masks) == len(scan_scores) or len(score_maps) == 0:
        raise InputError(
            f"Calibration needs one map, mask and score a healthy scan, of at least one scan; got "
            f"{len(score_maps)} maps, {len(masks)} masks, {len(scan_scores)} scores."
        )
    pooled = ScoreHistogram()
    for score_map, mask in zip(score_maps, masks, strict=True):
        pooled.add(scores_inside(score_map, mask))
    shares = np.geomspace(1 / pooled.total, LARGEST_SHARE, N_THRESHOLDS)
    thresholds = np.unique(np.append(pooled.thresholds(shares), pooled.thresholds(np.zeros(1))))[::-1]
    pairs = list(zip(score_maps, masks, strict=True))
    knots, nlog10p = tail_table(pooled)
    return Calibration(
        scan_scores=finite(np.asarray(scan_scores, dtype=np.float64)),
        thresholds=thresholds,
        marked_share=np.stack([marked_share(one, inside, thresholds) for one, inside in pairs]),
        components=np.stack(
            [n_components(one, inside, thresholds, voxel_mm3, min_cluster_mm3) for one, inside in pairs]
        ),
        knots=knots,
        nlog10p=nlog10p,
        min_cluster_mm3=min_cluster_mm3,
    )


def _last_within(falling: NDArray[Any], budget: float) -> int:
    """Position of the lowest threshold that keeps the budget together with all higher ones."""
    over = np.flatnonzero(falling > budget)
    return max(int(over[0]) - 1, 0) if over.size else falling.size - 1
