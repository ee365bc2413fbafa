"""Empirical cumulative distributions."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.outliers import OutlierConfig, OutlierScore
from medunsup.anomaly.pyod_detectors import RowDetector, Rows
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
    """How far out in the tails of each feature's healthy distribution a row lies."""

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
