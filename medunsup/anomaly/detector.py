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
from medunsup.anomaly.conformal_mixin import ConformalOutlierMixin
from medunsup.anomaly.factory import build_model, build_score
from medunsup.anomaly.postprocess import Floors, check_steps, learned_floors, postprocess
from medunsup.core.errors import ArrayError, InputError, UsageError
from medunsup.core.renamed import renamed
from medunsup.training.scan_stack import Array, Mask, Scans

INTENSITIES = ("auto", "as_is")

log = logging.getLogger(__name__)


class Detector(ConformalOutlierMixin, BaseEstimator):
    """Anomalies in arrays, learned from healthy ones: any model and score as a scikit-learn estimator.

    A 0 where all healthy arrays have signal is missing: it counts as intensity 0, and an array that misses
    more than a tenth is refused. In rows, whose columns may be features, a 0 is a number like others.

    Parameters
    ----------
    model : str, default 'pca'
        Name of a model; `medunsup.methods('anomaly')` lists them.
    score : str, default 'zscore'
        Name of a score; `medunsup.methods('score')` lists them.
    postprocess : sequence of str, default ()
        Steps that a map goes through, in this order, such as 'median=3'.
    model_params : dict, optional
        Parameters of the model by name; the fields of its `Config`.
    score_params : dict, optional
        Parameters of the score by name; the fields of its `Config`.
    spacing_mm : tuple of float, default (1.0, 1.0, 1.0)
        Voxel spacing in mm; only steps given in mm use it.
    intensity : {'auto', 'as_is'}, default 'auto'
        Models expect intensities of about [0, 1]. 'auto' scales arrays that lie elsewhere by what the healthy
        ones hold, new ones alike, and rows column by column wherever they lie; 'as_is' leaves all values as
        they are, and refuses none for its units.
    model_values : dict, optional
        Former name of `model_params`; gives a FutureWarning.
    score_values : dict, optional
        Former name of `score_params`; gives a FutureWarning.

    Attributes
    ----------
    model_ : AnomalyModel
        The fitted model.
    score_ : Score
        The fitted score.
    floors_ : sequence of float
        Least divisor of each step of `postprocess`, from healthy maps.
    shape_ : tuple of int
        Channels and grid (C, I, J, K).
    n_features_in_ : int
        Their product.
    scaling_ : ArrayScale
        How intensities are scaled, and where all healthy arrays have signal.
    healthy_scores_ : ndarray of shape (n,)
        Sorted scores of the arrays given to `calibrate`; not there before, nor after a new `fit`.

    Notes
    -----
    `score_samples` and `decision_function` are the same number, higher for what is more anomalous, as in
    PyOD; those of scikit-learn's own outlier detectors are lower. `predict` labels as scikit-learn does, -1
    anomalous and +1 not, and needs `calibrate`: the arrays that were learned from give no honest threshold.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = np.random.default_rng(0).uniform(0.4, 0.6, (12, 16, 16))
    >>> odd = healthy[:1].copy()
    >>> odd[0, 4:8, 4:8] += 0.5
    >>> detector = medunsup.Detector(model="healthy_atlas", score="deviation").fit(healthy)
    >>> bool(detector.score_samples(odd) > detector.score_samples(healthy).max())
    True
    """

    def __init__(
        self,
        *,
        model: str = "pca",
        score: str = "zscore",
        postprocess: Sequence[str] = (),
        model_params: Mapping[str, Any] | None = None,
        score_params: Mapping[str, Any] | None = None,
        spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
        intensity: Literal["auto", "as_is"] = "auto",
        model_values: Mapping[str, Any] | None = None,
        score_values: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.score = score
        self.postprocess = postprocess
        self.model_params = model_params
        self.score_params = score_params
        self.spacing_mm = spacing_mm
        self.intensity = intensity
        self.model_values = model_values
        self.score_values = score_values

    model_: AnomalyModel
    score_: Score
    floors_: Floors
    shape_: tuple[int, int, int, int]
    n_features_in_: int
    scaling_: ArrayScale

    def fit(self, X: NDArray[np.floating], y: None = None, *, masks: Mask | None = None) -> Self:
        """Learn from healthy arrays.

        Parameters
        ----------
        X : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Healthy volumes, slices, volumes with channels, or rows of numbers, all on one grid and
            in the same units.
        y : None, optional
            Ignored; there for scikit-learn.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at. Without it everything that is not 0 in the first channel; of rows all.

        Returns
        -------
        Detector
            This detector.

        Raises
        ------
        UsageError
            If a name, parameter or step does not exist, or model and score do not go together.
        InputError
            If an array is blank, in other units than the rest, or holds values that are not finite.

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> healthy = np.random.default_rng(0).uniform(0.4, 0.6, (12, 16, 16))
        >>> medunsup.Detector().fit(healthy).shape_
        (1, 16, 16, 1)
        """
        if hasattr(self, "healthy_scores_"):
            del self.healthy_scores_  # scores by another model
        check_steps(tuple(self.postprocess))
        if self.intensity not in INTENSITIES:
            raise UsageError(f"intensity {self.intensity!r} is none of {', '.join(INTENSITIES)}.")
        given = Scans.of_arrays(X, masks)
        model_params = renamed("model_values", "model_params", self.model_values, self.model_params)
        score_params = renamed("score_values", "score_params", self.score_values, self.score_params)
        model = build_model(self.model, model_params)
        score = build_score(self.score, score_params, model=model)
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
        """Intensities (C, 2) of each channel that became 0 and 1; 0 and 1 themselves if values stayed.

        Of rows (C, D, 2), of each column.
        """
        return self.scaling_.lines

    def score_map(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> Array:
        """Return one score map for each array; higher is more anomalous.

        Parameters
        ----------
        X : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Volumes, slices, volumes with channels, or rows, on the grid of `fit` and in its units.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at. Without it everything that is not 0 in the first channel, and zeros where all
            healthy arrays have signal; of rows all.

        Returns
        -------
        ndarray of shape (N, I, J, K), (N, H, W) or (N, D), float32
            Maps, 0 outside the masks.

        Raises
        ------
        InputError
            If the grid or the units are others than those of `fit`, an array is blank or misses much, or the
            score makes no map.
        NotFittedError
            If `fit` was not called before (scikit-learn's error).

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> healthy = np.random.default_rng(0).uniform(0.4, 0.6, (12, 16, 16))
        >>> medunsup.Detector().fit(healthy).score_map(healthy[:2]).shape
        (2, 16, 16)
        """
        scans = self._scans(X, masks)
        if not self.score_.makes_map:
            raise InputError(f"The score {self.score} makes no map, only a number a scan: use score_samples.")
        maps = np.stack([self._map(values, mask) for values, mask in scans])
        return maps.reshape(np.shape(X)) if np.ndim(X) < 4 else maps

    def score_samples(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> NDArray[np.float64]:
        """Return one number for each array; higher is more anomalous, unlike scikit-learn's detectors.

        Parameters
        ----------
        X : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Volumes, slices, volumes with channels, or rows, on the grid of `fit` and in its units.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at. Without it everything that is not 0 in the first channel, and zeros where all
            healthy arrays have signal; of rows all.

        Returns
        -------
        ndarray of shape (N,)
            Scan-level scores.

        Raises
        ------
        InputError
            If the grid or the units are others than those of `fit`, or an array is blank or misses much.
        NotFittedError
            If `fit` was not called before (scikit-learn's error).

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> healthy = np.random.default_rng(0).uniform(0.4, 0.6, (12, 16, 16))
        >>> medunsup.Detector().fit(healthy).score_samples(healthy[:2]).shape
        (2,)
        """
        return np.array([self._number(values, mask) for values, mask in self._scans(X, masks)])

    def decision_function(self, X: NDArray[np.floating], *, masks: Mask | None = None) -> NDArray[np.float64]:
        """Return what `score_samples` returns: higher is more anomalous, as in PyOD.

        Parameters
        ----------
        X : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Volumes, slices, volumes with channels, or rows, on the grid of `fit` and in its units.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at. Without it everything that is not 0 in the first channel, and zeros where all
            healthy arrays have signal; of rows all.

        Returns
        -------
        ndarray of shape (N,)
            Scan-level scores.

        Raises
        ------
        InputError
            If the grid or the units are others than those of `fit`, or an array is blank or misses much.
        NotFittedError
            If `fit` was not called before (scikit-learn's error).

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> healthy = np.random.default_rng(0).uniform(0.4, 0.6, (12, 16, 16))
        >>> medunsup.Detector().fit(healthy).decision_function(healthy[:2]).shape
        (2,)
        """
        return self.score_samples(X, masks=masks)

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
            raise ArrayError(
                f"X has {int(np.prod(scans.shape))} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: fitted on (C, I, J, K) = {self.shape_}, these "
                f"arrays are {scans.shape}."
            )
        for n, share in enumerate(self.scaling_.missing(scans.masks)):
            if share > MISSING and masks is not None:
                log.warning(
                    "Array %d: its mask leaves out %.0f %% of what all healthy arrays hold.", n, 100 * share
                )
        return self.scaling_.apply(scans, has_own_masks=masks is not None)
