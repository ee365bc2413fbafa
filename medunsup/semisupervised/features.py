"""What every method on features shares: checks, standardised rows, probabilities of any row."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from medunsup.core.config import Config
from medunsup.core.errors import ArrayError

UNLABELLED = -1
FLOOR = 1e-12

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class FeatureConfig(Config):
    """Parameters that all methods on features share."""

    scale: Literal["each", "together"] = Field(
        "each",
        description="bring each feature to a spread of 1, or all by one number, so that principal "
        "components keep their proportions",
    )


class FeatureClassifier(ABC):
    """Base of classifiers that learn from features, of which few rows are labelled.

    A subclass gives `_fit`, which sees standardised rows, and `_probabilities`. Mean and spread are those of
    all rows, labelled or not.

    Parameters
    ----------
    config : FeatureConfig, optional
        Parameters of the method, an instance of its class's `Config`; the defaults if not given.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes, sorted; columns of the probabilities are in this order.
    coverage_ : float
        Share of the unlabelled rows that the method has learned from or reached, in [0, 1]; 1 without any.
    n_features_in_ : int
        Number of features D.

    Examples
    --------
    >>> from medunsup.semisupervised import EM, FeatureClassifier
    >>> issubclass(EM, FeatureClassifier)
    True
    """

    Config: ClassVar[type[FeatureConfig]]
    method_name: ClassVar[str]
    config: Any
    classes_: Labels
    coverage_: float
    n_features_in_: int

    def __init__(self, config: Any = None) -> None:
        self.config = config or self.Config()

    @abstractmethod
    def _fit(self, rows: Floats, targets: Labels) -> float:
        """Learn from standardised rows (N, D), targets (N,) 0 to K - 1 or -1; return the coverage."""

    @abstractmethod
    def _probabilities(self, rows: Floats) -> Floats:
        """Return (M, K) of standardised rows (M, D)."""

    def fit(self, features: ArrayLike, labels: ArrayLike) -> Self:
        """Learn from all rows and the few labels.

        Parameters
        ----------
        features : array-like of shape (N, D)
            Features, such as those of a pretrained encoder.
        labels : array-like of shape (N,)
            Whole numbers: the class of each row, -1 where it is not labelled.

        Returns
        -------
        FeatureClassifier
            This method, fitted.

        Raises
        ------
        ArrayError
            If a feature is not finite, labels are no whole numbers, or fewer than two classes are labelled.
        """
        rows, marks = _as_rows(features), _as_labels(labels)
        if len(rows) != len(marks):
            raise ArrayError(f"{len(rows)} rows of features and {len(marks)} labels: give one label a row.")
        self.classes_ = np.unique(marks[marks != UNLABELLED])
        if len(self.classes_) < 2:
            raise ArrayError(
                f"Labels of {len(self.classes_)} class(es) alone: label rows of two classes or more "
                f"({UNLABELLED} is no class, it means not labelled)."
            )
        self.n_features_in_ = rows.shape[1]
        self._mean, spread = rows.mean(axis=0), rows.std(axis=0)
        if self.config.scale == "together":
            spread = np.full_like(spread, np.sqrt((spread**2).mean()))
        self._spread = np.where(spread > FLOOR, spread, 1.0)
        targets = np.searchsorted(self.classes_, marks)
        targets[marks == UNLABELLED] = UNLABELLED
        self.coverage_ = float(self._fit(self._standardised(rows), targets))
        return self

    def probabilities(self, features: ArrayLike) -> Floats:
        """Return the probability of each class for rows, the fitted ones or new ones.

        Parameters
        ----------
        features : array-like of shape (M, D)
            Features.

        Returns
        -------
        ndarray of shape (M, K)
            Probabilities, columns in the order of `classes_`; rows sum to 1.

        Raises
        ------
        ArrayError
            If the rows have another number of features, or one is not finite.
        """
        rows = _as_rows(features)
        if rows.shape[1] != self.n_features_in_:
            raise ArrayError(
                f"{rows.shape[1]} features, fitted on {self.n_features_in_}. Give the same ones."
            )
        return self._probabilities(self._standardised(rows))

    def predict(self, features: ArrayLike) -> Labels:
        """Return the most probable class of rows.

        Parameters
        ----------
        features : array-like of shape (M, D)
            Features.

        Returns
        -------
        ndarray of shape (M,)
            Values of `classes_`.
        """
        return self.classes_[self.probabilities(features).argmax(axis=1)]

    def _standardised(self, rows: Floats) -> Floats:
        return (rows - self._mean) / self._spread


def _as_rows(features: ArrayLike) -> Floats:
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or not rows.size:
        raise ArrayError(f"Features are (N, D); got {rows.shape}.")
    if not np.isfinite(rows).all():
        raise ArrayError(
            f"Row {np.argwhere(~np.isfinite(rows))[0, 0]} has a feature that is not finite. Leave it out."
        )
    return rows


def _as_labels(labels: ArrayLike) -> Labels:
    marks = np.asarray(labels)
    if marks.ndim != 1 or marks.dtype.kind not in "iu" or (marks < UNLABELLED).any():
        raise ArrayError(
            "Labels are (N,) whole numbers, -1 where a row is not labelled, classes from 0 on; "
            f"got {marks.dtype} {marks.shape}."
        )
    return marks.astype(np.int64)
