"""A model, a score and post-processing as one scikit-learn estimator, for a user's own arrays."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from medunsup.anomaly.base import AnomalyModel, Score
from medunsup.anomaly.build import build_model, build_score
from medunsup.anomaly.data import Array, Mask, Scans
from medunsup.anomaly.postprocess import Floors, check_steps, learned_floors, postprocess
from medunsup.core.errors import InputError


class Detector(BaseEstimator):
    """Anomalies in arrays, learned from healthy ones.

    Arrays are (N, I, J, K) volumes, (N, H, W) slices, or (N, C, I, J, K) with channels, all on one lattice
    and scaled alike to about [0, 1], 0 outside the mask. Masks are (N, I, J, K) or (N, H, W) bool; without
    them everything that is not 0 is inside. `model` and `score` are names that `medunsup methods` lists,
    `model_values` and `score_values` their parameters, `postprocess` steps such as "median=3". Only steps
    given in mm use `spacing_mm`.

        detector = Detector(model="pca", score="zscore", postprocess=("median=3",)).fit(healthy)
        maps = detector.score_map(scans)

    After `fit`: `model_`, `score_`, and `shape_` (C, I, J, K).
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
    ) -> None:
        self.model = model
        self.score = score
        self.postprocess = postprocess
        self.model_values = model_values
        self.score_values = score_values
        self.spacing_mm = spacing_mm

    model_: AnomalyModel
    score_: Score
    floors_: Floors
    shape_: tuple[int, int, int, int]

    def fit(self, X: NDArray[np.floating], y: None = None, *, masks: Mask | None = None) -> Self:
        """Learn from healthy arrays; `y` is ignored.

        Raises UsageError for names, parameters or steps that do not exist or do not go together.
        """
        check_steps(tuple(self.postprocess))
        scans = Scans.of_arrays(X, masks)
        model = build_model(self.model, self.model_values)
        score = build_score(self.score, self.score_values, model=model)
        self.model_ = model.fit(scans)
        self.score_ = score.fit(self.model_, scans)
        self.floors_ = learned_floors(
            tuple(self.postprocess), partial(self.score_.map, self.model_), scans, self.spacing_mm
        )
        self.shape_ = scans.shape
        return self

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

        Raises InputError for another lattice than that of `fit`.
        """
        return np.array([self._number(values, mask) for values, mask in self._scans(X, masks)])

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
        return scans
