"""A model, a score and post-processing as one scikit-learn estimator, for a user's own arrays."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from medunsup.anomaly.array_scale import MISSING, ArrayScale
from medunsup.anomaly.base import AnomalyModel, Score
from medunsup.anomaly.build import build_model, build_score
from medunsup.anomaly.calibrate import conformal_p_value
from medunsup.anomaly.postprocess import Floors, check_steps, learned_floors, postprocess
from medunsup.core.errors import InputError, UsageError
from medunsup.training.scan_stack import Array, Mask, Scans

INTENSITIES = ("auto", "as_is")

log = logging.getLogger(__name__)


class Detector(BaseEstimator):
    """Anomalies in arrays, learned from healthy ones.

    Arrays are (N, I, J, K) volumes, (N, H, W) slices, or (N, C, I, J, K) with channels, all on one grid and
    in the same units. Masks are (N, I, J, K) or (N, H, W) bool, and what lies outside is not looked at;
    without them everything that is not 0 is inside, and a 0 where all healthy arrays have signal is missing:
    it counts as intensity 0, and an array that misses more than a tenth is refused.

    `model` and `score` are names that `medunsup methods` lists, `model_values` and `score_values` their
    parameters, `postprocess` steps such as "median=3". Only steps given in mm use `spacing_mm`. Models expect
    intensities of about [0, 1]: with `intensity` "auto" arrays that lie elsewhere are scaled by what the
    healthy ones hold, new ones alike; "as_is" leaves all values as they are.

        detector = Detector(model="pca", score="zscore", postprocess=("median=3",)).fit(healthy)
        maps = detector.score_map(scans)
        p = detector.calibrate(other_healthy).p_values(scans)

    After `fit`: `model_`, `score_`, `shape_` (C, I, J, K), `n_features_in_` their product, and `scale_`
    (C, 2), the intensities of each channel that became 0 and 1. After `calibrate`: `healthy_scores_`.
    """

    def __init__(
        self,
        *,
        model: str = "pca",
        score: str = "zscore",
        postprocess: Sequence[str] = (),
        model_values: Mapping[str, Any] | None = None,
        score_values: Mapping[str, Any] | None = None,
        spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
        intensity: Literal["auto", "as_is"] = "auto",
    ) -> None:
        self.model = model
        self.score = score
        self.postprocess = postprocess
        self.model_values = model_values
        self.score_values = score_values
        self.spacing_mm = spacing_mm
        self.intensity = intensity

    model_: AnomalyModel
    score_: Score
    floors_: Floors
    shape_: tuple[int, int, int, int]
    n_features_in_: int
    scaling_: ArrayScale
    healthy_scores_: NDArray[np.float64]

    def fit(self, X: NDArray[np.floating], y: None = None, *, masks: Mask | None = None) -> Self:
        """Learn from healthy arrays; `y` is ignored.

        Raises UsageError for names, parameters or steps that do not exist or do not go together, InputError
        for an array that is blank or in other units than the rest.
        """
        check_steps(tuple(self.postprocess))
        if self.intensity not in INTENSITIES:
            raise UsageError(f"intensity {self.intensity!r} is none of {', '.join(INTENSITIES)}.")
        given = Scans.of_arrays(X, masks)
        model = build_model(self.model, self.model_values)
        score = build_score(self.score, self.score_values, model=model)
        self.scaling_ = ArrayScale.of(given, as_is=self.intensity == "as_is")
        scans = self.scaling_.apply(given, has_own_masks=masks is not None)
        self.model_ = model.fit(scans)
        self.score_ = score.fit(self.model_, scans)
        self.floors_ = learned_floors(
            tuple(self.postprocess), partial(self.score_.map, self.model_), scans, self.spacing_mm
        )
        self.shape_ = scans.shape
        self.n_features_in_ = int(np.prod(self.shape_))
        return self

    @property
    def scale_(self) -> NDArray[np.float64]:
        """Intensities (C, 2) of each channel that became 0 and 1; 0 and 1 themselves if values stayed."""
        return self.scaling_.lines

    def score_map(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> Array:
        """Return one map for each array, shaped like it without channels; higher is more anomalous.

        Raises InputError for another lattice than that of `fit`, or a score that makes no map.
        """
        scans = self._scans(X, masks)
        if not self.score_.makes_map:
            raise InputError(f"The score {self.score} makes no map, only a number a scan: use score_samples.")
        maps = np.stack([self._map(values, mask) for values, mask in scans])
        return maps[..., 0] if np.ndim(X) == 3 else maps

    def score_samples(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> NDArray[np.float64]:
        """Return one number for each array, (N,); higher is more anomalous, unlike scikit-learn's detectors.

        Raises InputError for another grid or other units than those of `fit`, or an array that is blank or
        misses much.
        """
        return np.array([self._number(values, mask) for values, mask in self._scans(X, masks)])

    def decision_function(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> NDArray[np.float64]:
        """Return what `score_samples` returns: higher is more anomalous, as in PyOD."""
        return self.score_samples(X, masks=masks)

    def calibrate(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> Self:
        """Learn how healthy arrays score that `fit` has not seen; `p_values` compares with them."""
        self.healthy_scores_ = np.sort(self.score_samples(X, masks=masks))
        return self

    def p_values(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> NDArray[np.float64]:
        """Return a conformal p-value for each array, (N,): a healthy one gets p or less with probability p.

        With n arrays given to `calibrate` the smallest is 1 / (n + 1).
        """
        check_is_fitted(
            self, "healthy_scores_", msg="Give healthy arrays that fit has not seen to calibrate."
        )
        scores = self.score_samples(X, masks=masks)
        return np.array([conformal_p_value(self.healthy_scores_, score) for score in scores])

    def _map(self, values: Array, mask: Mask) -> Array:
        raw = self.score_.map(self.model_, values, mask)
        return postprocess(self.postprocess, raw, mask, self.spacing_mm, self.floors_)

    def _number(self, values: Array, mask: Mask) -> float:
        score_map = self._map(values, mask) if self.score_.makes_map else None
        return self.score_.scan_score(self.model_, values, mask, score_map)

    def _scans(self, X: NDArray[np.floating], masks: Mask | None) -> Scans:
        check_is_fitted(self)
        scans = Scans.of_arrays(X, masks)
        if scans.shape != self.shape_:
            raise InputError(f"Fitted on (C, I, J, K) = {self.shape_}, but these arrays are {scans.shape}.")
        for n, share in enumerate(self.scaling_.missing(scans.masks)):
            if share > MISSING and masks is not None:
                log.warning(
                    "Array %d: its mask leaves out %.0f %% of what all healthy arrays hold.", n, 100 * share
                )
        return self.scaling_.apply(scans, has_own_masks=masks is not None)
