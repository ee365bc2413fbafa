"""Empirical cumulative distributions."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.scores._pyod import OutlierConfig, OutlierScore
from medunsup.anomaly.scores._pyod_detectors import RowDetector, Rows
from medunsup.core.registry import register


@register(
    "ecod",
    family="outlier",
    dims=(2, 3),
    paper="Li et al. (2023), ECOD: unsupervised outlier detection using empirical cumulative distribution "
    "functions. IEEE Transactions on Knowledge and Data Engineering.",
    limit="Each feature stands alone, and beyond the furthest healthy row all distances are alike.",
)
class ECOD(OutlierScore):
    """How far out in the tails of each feature's healthy distribution a row lies.

    Judges the codes of a model that offers `encode`, or with `on` "patches" local features without a model.

    Parameters
    ----------
    config : OutlierConfig, optional
        Parameters of the method, listed by `help(ECOD.Config)`; the defaults if not given.

    Attributes
    ----------
    rows_ : ndarray of shape (P, D)
        The healthy rows, each once: codes of the model, or local features.
    columns_ : Columns
        Mean and spread of each feature over these rows, by which all rows are standardised.
    flat_ : FlatVoxels
        Voxels that are the same in all healthy scans and say nothing.
    detector_ : RowDetector
        The detector that was fitted on the standardised rows.
    slope_ : float
        Score that is added for each sd by which features that never varied have moved.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> values = {"on": "patches"}
    >>> detector = medunsup.Detector(score="ecod", score_params=values)
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = OutlierConfig

    def _detector(self) -> tuple[str, RowDetector]:
        return "ecod", Tails()


class Tails:
    """Sum over features of -log of the rarer tail, among the healthy rows and the row itself.

    Each row is ranked among the healthy ones alone; in PyOD rows that are judged together count as well.
    """

    ordered_: NDArray[np.float64]

    def fit(self, X: Rows) -> Self:
        """Sort each feature of the healthy rows (P, D)."""
        self.ordered_ = np.sort(X, axis=0)
        return self

    def decision_function(self, X: Rows) -> NDArray[np.float64]:
        """Return the score of each row (P, D)."""
        n, scores = len(self.ordered_), np.zeros(len(X))
        for ordered, feature in zip(self.ordered_.T, np.asarray(X).T, strict=True):
            at_most = np.searchsorted(ordered, feature, side="right") + 1
            at_least = n - np.searchsorted(ordered, feature, side="left") + 1
            scores -= np.log(np.minimum(at_most, at_least) / (n + 1))
        return scores
