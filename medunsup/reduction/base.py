"""What every method that places rows on few axes shares: checks, fixed order, new rows, state."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from medunsup.core.config import Config
from medunsup.core.errors import ArrayError, UsageError
from medunsup.reduction.placing import nearest
from medunsup.reduction.rows import checked_rows, refuse_constant, several

Floats = NDArray[np.float64]
State = dict[str, NDArray[Any]]

BASE_STATE = ("_rows", "_places", "_mean", "_spread")


class ReductionConfig(Config):
    """Parameters that all methods share."""

    n_components: int = Field(2, ge=1, description="axes of the map")
    standardize: bool = Field(
        True, description="bring each feature to mean 0 and standard deviation 1 before anything else"
    )


class Reduction(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """Base of methods that place rows of features on few axes, as scikit-learn estimators.

    Rows are brought to float64 and into a fixed order before the fit, so that another order of the same rows
    moves the rows of the embedding alone. Rows that are exactly equal share one place. New rows are placed
    one at a time: a row lies where it would lie among others, and one that was fitted lies where it was.

    A subclass gives `Config`, `_learn` and `_place`; its `__init__` has the parameters of its `Config`.

    Attributes
    ----------
    embedding_ : ndarray of shape (N, n_components)
        Places of the fitted rows, in their order.
    explained_ : ndarray of shape (n_components,) or None
        Share of the variance that each axis holds, in [0, 1], where that is known.
    placement_ : {'exact', 'neighbours'}
        New rows are placed by the method itself, or by inverse-distance weights of the nearest fitted rows.
    remarks_ : tuple of str
        What was done otherwise than asked, in words.
    n_features_in_ : int
        Number of features D.

    Examples
    --------
    >>> from medunsup.reduction import PCA, Reduction
    >>> issubclass(PCA, Reduction)
    True
    """

    Config: ClassVar[type[ReductionConfig]]
    method_name: ClassVar[str]
    placement_: ClassVar[Literal["exact", "neighbours"]] = "exact"
    n_components: int
    standardize: bool
    embedding_: Floats
    _places: Floats
    _rows: Floats
    _mean: Floats
    _spread: Floats
    explained_: Floats | None
    remarks_: tuple[str, ...]
    n_features_in_: int
    _learned: ClassVar[tuple[str, ...]] = ()  # arrays of a fitted method beside those of all
    _most_rows: ClassVar[int | None] = None  # distinct ones, where time or memory grow with their square

    @abstractmethod
    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        """Learn from distinct rows (M, D) that occur `counts` (M,) times; return their places."""

    @abstractmethod
    def _place(self, row: Floats) -> Floats:
        """Place one new row (D,)."""

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn from rows.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features, all finite, none of them constant.
        y : None, optional
            Ignored; there for scikit-learn.

        Returns
        -------
        Reduction
            This method, fitted.

        Raises
        ------
        ArrayError
            If a feature is not finite or constant, or there are fewer features than axes.
        UsageError
            If a parameter is out of its bounds, or there are too few rows, or more than the method can take.
        """
        config = self.Config.parse(self.get_params(), where=self.method_name)
        rows = checked_rows(self, X, reset=True)
        refuse_constant(self, rows)
        distinct, of, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
        self._check_numbers(len(distinct), rows.shape[1], config)
        self.remarks_, self.explained_ = (), None
        if len(distinct) < len(rows):
            self._remark(
                f"{several(len(rows) - len(distinct), 'row')} equal to another one: they share its place."
            )
        self._rows = distinct
        self._mean, self._spread = self._scale_of(np.repeat(distinct, counts, axis=0), config)
        self._places = np.asarray(self._learn(self._scaled(distinct), counts, config), np.float64)
        self._of = of.reshape(-1)
        self.embedding_ = self._places[self._of]
        return self

    def fit_transform(self, X: ArrayLike, y: None = None) -> Floats:
        """Learn from rows and return their places.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features, all finite, none of them constant.
        y : None, optional
            Ignored; there for scikit-learn.

        Returns
        -------
        ndarray of shape (N, n_components)
            Places, as in `embedding_`.
        """
        return self.fit(X).embedding_

    def transform(self, X: ArrayLike) -> Floats:
        """Place rows, fitted ones or new ones.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features, the same ones as in the fit.

        Returns
        -------
        ndarray of shape (N, n_components)
            Places; each row's own, whatever rows are beside it.

        Raises
        ------
        ArrayError
            If there are other features than in the fit, or one is not finite.
        """
        check_is_fitted(self)
        rows = checked_rows(self, X, reset=False)
        known = {row.tobytes(): place for row, place in zip(self._rows, self._places, strict=True)}
        found = []
        for row in rows:
            place = known.get(row.tobytes())
            found.append(self._place(self._scaled(row)) if place is None else place)
        return np.stack(found)

    def typicality(self, X: ArrayLike) -> Floats:
        """Return how usual the distance of each row to its nearest fitted row is.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features, the same ones as in the fit.

        Returns
        -------
        ndarray of shape (N,)
            Share of the fitted rows whose nearest other row is at least as far, counted with the row itself,
            in (0, 1]; small for a row unlike all that were fitted.

        Raises
        ------
        ArrayError
            If there are other features than in the fit, or one is not finite.
        """
        from sklearn.neighbors import NearestNeighbors

        check_is_fitted(self)
        rows, fitted = checked_rows(self, X, reset=False), self._scaled(self._rows)
        usual = np.sort(NearestNeighbors(n_neighbors=1).fit(fitted).kneighbors()[0][:, 0])
        own = np.array([nearest(self._scaled(row), fitted, 1)[1][0] for row in rows])
        as_far = len(usual) - np.searchsorted(usual, own)
        return (1 + as_far) / (1 + len(usual))

    def scaled(self, rows: NDArray[np.intp]) -> Floats:
        """Return fitted rows as the method saw them, after the scaling.

        Parameters
        ----------
        rows : ndarray of shape (M,), int
            Which, in the order of the fit.

        Returns
        -------
        ndarray of shape (M, D)
            Their features.
        """
        return self._scaled(self._rows[self._of[rows]])

    def state(self) -> State:
        """Return all that was learned as arrays by name.

        Returns
        -------
        dict of str to ndarray
            Arrays, the fitted rows among them.
        """
        check_is_fitted(self)
        return {name.strip("_"): np.asarray(getattr(self, name)) for name in (*BASE_STATE, *self._learned)}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave; the parameters must be those of the fit.

        Parameters
        ----------
        state : dict of str to ndarray
            Arrays by name.

        Returns
        -------
        Reduction
            This method, fitted; `embedding_` holds the distinct rows.
        """
        self.remarks_, self.explained_ = (), None
        for name in (*BASE_STATE, *self._learned):
            setattr(self, name, np.asarray(state[name.strip("_")]))
        self.embedding_, self.n_features_in_ = self._places, self._rows.shape[1]
        self._of = np.arange(len(self._rows))
        return self

    @property
    def _n_features_out(self) -> int:
        return self._places.shape[1]

    def _least_rows(self, config: Any) -> int:
        return config.n_components + 1

    def _least_features(self, config: Any) -> int:
        return 1

    def _remark(self, text: str) -> None:
        self.remarks_ = (*self.remarks_, text)

    def _check_numbers(self, n_rows: int, n_features: int, config: Any) -> None:
        least, features, most = self._least_rows(config), self._least_features(config), self._most_rows
        if n_features < features:
            raise ArrayError(
                f"{self.method_name}: {config.n_components} components of {n_features} feature(s). Give at "
                f"least {features} features, or fewer components."
            )
        if n_rows < least:
            raise UsageError(
                f"{self.method_name} needs at least {least} distinct rows for {config.n_components} "
                f"components, there are {n_rows}. Give more rows, or take pca."
            )
        if most is not None and n_rows > most:
            raise UsageError(
                f"{self.method_name} takes up to {most} distinct rows, as it keeps a number for each pair; "
                f"there are {n_rows}. Take pca or umap."
            )

    def _scale_of(self, rows: Floats, config: Any) -> tuple[Floats, Floats]:
        mean = rows.mean(axis=0)
        return mean, rows.std(axis=0) if config.standardize else np.ones_like(mean)

    def _scaled(self, rows: Floats) -> Floats:
        return (rows - self._mean) / self._spread

    def _each(self, rows: Floats) -> Floats:
        """Place scaled rows one at a time, so that numbers are the same to the last bit."""
        return np.stack([self._place(row) for row in rows])
