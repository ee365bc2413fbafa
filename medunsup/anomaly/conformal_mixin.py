"""P-values and labels for an estimator that gives scores, from healthy arrays that it was not fitted on."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from medunsup.anomaly.conformal import conformal_p_value, conformal_threshold
from medunsup.core.errors import UsageError

ANOMALOUS, USUAL = -1, 1


class ConformalOutlierMixin(OutlierMixin):
    """Gives `calibrate`, `p_values` and `predict` to an estimator that has `score_samples`.

    Attributes
    ----------
    healthy_scores_ : ndarray of shape (n,)
        Sorted scores of the arrays given to `calibrate`.
    """

    healthy_scores_: NDArray[np.float64]

    @abstractmethod
    def score_samples(self, X: Any, *, masks: Any = None) -> NDArray[np.float64]:
        """Return one number for each array; higher is more anomalous."""

    def calibrate(self, X: NDArray[np.floating], *, masks: NDArray[np.bool_] | None = None) -> Self:
        """Learn how healthy arrays score that `fit` has not seen; `p_values` and `predict` compare with them.

        Parameters
        ----------
        X : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Volumes, slices, volumes with channels, or rows, on the grid of `fit` and in its units.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at, as for `score_samples`.

        Returns
        -------
        Detector
            This detector.

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
        >>> detector = medunsup.Detector().fit(healthy[:8]).calibrate(healthy[8:])
        >>> detector.healthy_scores_.shape
        (4,)
        """
        self.healthy_scores_ = np.sort(self.score_samples(X, masks=masks))
        return self

    def p_values(
        self, X: NDArray[np.floating], *, masks: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Return a conformal p-value for each array: a healthy one gets p or less with probability p.

        Parameters
        ----------
        X : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Volumes, slices, volumes with channels, or rows, on the grid of `fit` and in its units.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at, as for `score_samples`.

        Returns
        -------
        ndarray of shape (N,)
            Conformal p-values; with n arrays given to `calibrate` the smallest is 1 / (n + 1).

        Raises
        ------
        InputError
            If the grid or the units are others than those of `fit`, or an array is blank or misses much.
        NotFittedError
            If `fit` and `calibrate` were not called before (scikit-learn's error).

        References
        ----------
        Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World. Springer.

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> healthy = np.random.default_rng(0).uniform(0.4, 0.6, (12, 16, 16))
        >>> detector = medunsup.Detector().fit(healthy[:8]).calibrate(healthy[8:])
        >>> detector.p_values(healthy[8:])
        array([0.8, 0.4, 1. , 0.6])
        """
        self._check_calibrated()
        scores = self.score_samples(X, masks=masks)
        return np.array([conformal_p_value(self.healthy_scores_, score) for score in scores])

    def predict(
        self, X: NDArray[np.floating], *, alpha: float = 0.05, masks: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """Label each array -1 (anomalous) or +1, so that a healthy one is called anomalous at rate `alpha`.

        The labels are those of scikit-learn's outlier detectors, which this estimator says it is; where PyOD
        writes 1 for an anomaly and 0 for the rest, use `p_values(X) <= alpha`.

        Parameters
        ----------
        X : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Volumes, slices, volumes with channels, or rows, on the grid of `fit` and in its units.
        alpha : float between 0 and 1, default 0.05
            False-positive rate; n arrays given to `calibrate` support 1 / (n + 1) and more, so 0.05 takes 19.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at, as for `score_samples`.

        Returns
        -------
        ndarray of shape (N,), int
            -1 where the conformal p-value is at most `alpha`, else +1.

        Raises
        ------
        InputError
            If the grid or the units are others than those of `fit`, or an array is blank or misses much.
        NotFittedError
            If `fit` and `calibrate` were not called before (scikit-learn's error).
        UsageError
            If so few arrays cannot support `alpha`; it names the least that can be asked for.

        Examples
        --------
        >>> import medunsup
        >>> import numpy as np
        >>> healthy = np.random.default_rng(0).uniform(0.4, 0.6, (40, 16, 16))
        >>> odd = healthy[:1].copy()
        >>> odd[0, 4:8, 4:8] += 0.5
        >>> detector = medunsup.Detector().fit(healthy[:20]).calibrate(healthy[20:])
        >>> detector.predict(odd).tolist()
        [-1]
        """
        self._check_calibrated()
        threshold = conformal_threshold(self.healthy_scores_, alpha)
        return np.where(self.score_samples(X, masks=masks) > threshold, ANOMALOUS, USUAL)

    def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        """Refuse: labels of the arrays that were learned from promise nothing.

        Raises
        ------
        UsageError
            Always; it says what to call.
        """
        raise UsageError(
            "Arrays that were learned from cannot be judged by the same model. Call fit with healthy arrays, "
            "calibrate with other healthy arrays, then predict."
        )

    def _check_calibrated(self) -> None:
        check_is_fitted(
            self, "healthy_scores_", msg="Call calibrate first, with healthy arrays that fit has not seen."
        )
