"""What every clustering method shares: checks, order of rows and labels, probabilities, typicality.

A method gives `_fit`, which sees rows in a fixed order, and `_soft`, which assigns any rows. So a permutation
of rows permutes labels and does nothing else, whatever a library does with the order of rows.
"""

from abc import ABC, abstractmethod
from contextlib import nullcontext
from functools import cache
from inspect import cleandoc, signature
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from medunsup.clustering.row_order import distinct_rows, row_order, sizes_order
from medunsup.clustering.stored import Stored
from medunsup.clustering.typicality import NOISE, Typicality
from medunsup.core.config import Config
from medunsup.core.errors import ArrayError
from medunsup.core.field_docs import parameters_section

FEW_VALUES = 1_000_000  # below, one thread is as fast, and the same bits come out on every machine

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

ATTRIBUTES = """Attributes
----------
labels_ : ndarray of shape (N,), int64
    Cluster of each row, from 0, the largest cluster first; -1 for rows in none.
n_clusters_ : int
    Number of clusters that hold a row.
n_features_in_ : int
    Number of features.
remarks_ : tuple of str
    What had to be repaired or is to be known, in words; empty if nothing."""


class ClusteringConfig(Config):
    """Parameters that all clustering methods share."""

    n_clusters: int | None = Field(2, ge=1, description="clusters to find")
    seed: int = Field(0, ge=0, lt=2**32, description="seed of every random choice")


class Clustering(Stored, Typicality, ClusterMixin, BaseEstimator, ABC):
    """Base of clustering methods, scikit-learn's estimators on rows of features (N, D).

    A subclass gives `Config`, `_fit` and `_soft`, an `__init__` with the fields of `Config` as keywords, and
    in `_learned` the names of the attributes that `_soft` needs, so that it can be kept and opened again.
    Features are used as they are: bring them to comparable spreads before.

    Attributes
    ----------
    labels_ : ndarray of shape (N,), int64
        Cluster of each row, from 0, the largest cluster first; -1 for rows in none.
    n_clusters_ : int
        Number of clusters that hold a row.
    n_features_in_ : int
        Number of features.
    remarks_ : tuple of str
        What had to be repaired or is to be known, in words; empty if nothing.

    Examples
    --------
    >>> from medunsup.clustering import Clustering, KMeans
    >>> issubclass(KMeans, Clustering)
    True
    """

    Config: ClassVar[type[ClusteringConfig]]
    takes: ClassVar[tuple[str, ...]] = ("features",)  # or "images" (N, C, I, J, K), or both
    method_name: ClassVar[str]
    _more_attributes: ClassVar[str] = ""  # after those of all methods, in the docstring
    labels_: Labels
    n_clusters_: int
    n_features_in_: int
    remarks_: tuple[str, ...]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Document parameters, from the config, and what every fitted method holds."""
        super().__init_subclass__(**kwargs)
        if "Config" in vars(cls):
            text, heading, examples = cleandoc(cls.__doc__ or "").partition("Examples\n--------\n")
            fields = cls.Config.model_fields
            named = {name: fields[name] for name in signature(cls).parameters if name in fields}
            own = (text.strip(), parameters_section(named), ATTRIBUTES + cls._more_attributes)
            cls.__doc__ = "\n\n".join((*own, heading + examples))

    @abstractmethod
    def _fit(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        """Learn from rows (N, D) in a fixed order; return a number of `_soft`'s columns for each, or -1."""

    @abstractmethod
    def _soft(self, rows: Floats) -> Floats:
        """Return shares (M, columns) of any rows, each row by itself; they sum to 1, but for noise."""

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Find clusters.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features, finite, of comparable spreads.
        y : object, optional
            Not used; scikit-learn's pipelines hand it over.

        Returns
        -------
        Clustering
            This method, fitted.

        Raises
        ------
        ArrayError
            If there are fewer rows than two or than clusters, or a feature is not finite.
        UsageError
            If a parameter is out of its bounds.
        """
        config = self.Config.parse(self.get_params(), type(self).__name__)
        given = self._rows_of(X, reset=True)
        order = row_order(given)
        rows = given[order]
        self._remarks: list[str] = []
        which = distinct_rows(rows)
        n_clusters = self._n_possible(config, len(rows), int(which[-1]) + 1)
        with _threads().limit(limits=1) if rows.size < FEW_VALUES else nullcontext():
            raw = self._fit(rows, n_clusters, config)
        raw = raw[np.searchsorted(which, which)]  # equal rows, equal clusters
        self._settle(raw, n_clusters if config.n_clusters else 0)
        self._keep(rows, self._numbered(raw))
        self.labels_ = np.empty(len(rows), np.int64)
        self.labels_[order] = self._row_labels
        self._order = order
        self.remarks_ = tuple(self._remarks)
        return self

    def predict(self, X: ArrayLike) -> Labels:
        """Assign rows to clusters, each by itself.

        Parameters
        ----------
        X : array-like of shape (M, D)
            Features, as they were fitted.

        Returns
        -------
        ndarray of shape (M,), int64
            Clusters; -1 for rows in none.

        Raises
        ------
        ArrayError
            If a feature is not finite.
        """
        check_is_fitted(self, "labels_")
        soft = self._soft(self._rows_of(X))
        if not self.n_clusters_:
            return np.full(len(soft), NOISE)
        noise = 1 - soft.sum(axis=1)  # what is missing to 1
        columns = np.sort(self._columns)  # ties as in the fit
        best = columns[soft[:, columns].argmax(axis=1)]
        best[soft.max(axis=1) < noise] = NOISE
        return self._numbered(best)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the share of each cluster in rows, each row by itself.

        Parameters
        ----------
        X : array-like of shape (M, D)
            Features, as they were fitted.

        Returns
        -------
        ndarray of shape (M, K)
            Posterior of a mixture, or a soft assignment that the method's page describes; rows sum to 1.

        Raises
        ------
        ArrayError
            If a feature is not finite, or no cluster was found.
        """
        check_is_fitted(self, "labels_")
        return self._shares(self._rows_of(X))

    def _shares(self, rows: Floats) -> Floats:
        if not self.n_clusters_:
            raise ArrayError("No cluster was found, so no row has a share in one. Try another method.")
        shares = self._soft(rows)[:, self._columns]
        return shares / shares.sum(axis=1, keepdims=True)

    def _rows_of(self, X: ArrayLike, *, reset: bool = False) -> Floats:
        """Check rows as scikit-learn does, and say where one is not finite."""
        rows = validate_data(
            self,
            X,
            reset=reset,
            dtype=np.float64,
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
        )
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise ArrayError(
                f"Input X contains NaN or inf: row {row}, feature {column}. Leave the row out or fill it in."
            )
        return rows

    def _n_possible(self, config: ClusteringConfig, n_rows: int, n_distinct: int) -> int:
        """Return how many clusters to find: as asked, or as many as there are rows that differ."""
        asked = config.n_clusters or 1
        if asked > n_rows:
            raise ArrayError(
                f"{asked} clusters were asked of {n_rows} rows. Give n_clusters={n_rows} at most."
            )
        if asked > n_distinct:
            self._remark(f"Only {n_distinct} rows differ, so {n_distinct} clusters were sought, not {asked}.")
        return min(asked, n_distinct)

    def _settle(self, raw: Labels, n_sought: int) -> None:
        """Take over which clusters hold rows, and tell of those that do not."""
        self._columns = sizes_order(raw)
        self.n_clusters_ = len(self._columns)
        if self.n_clusters_ < n_sought and not self._remarks:
            self._remark(f"{n_sought - self.n_clusters_} of {n_sought} clusters hold no row.")

    def _keep(self, rows: Floats, labels: Labels) -> None:
        """Keep the rows that new ones are compared with, and their clusters."""
        self._rows, self._row_labels, self._subjects = rows, labels, None

    def _numbered(self, raw: Labels) -> Labels:
        """Return labels numbered from the largest cluster; -1 stays."""
        return _renumbered(raw, self._columns)

    def _remark(self, text: str) -> None:
        self._remarks.append(text)


@cache
def _threads() -> ThreadpoolController:
    """Find the libraries that use threads, once: it takes longer than many a fit."""
    import sklearn.cluster  # noqa: F401  brings its own

    return ThreadpoolController()


def _renumbered(raw: Labels, columns: Labels) -> Labels:
    """Return labels whose clusters are numbered in the order of `columns`; -1 stays."""
    found = np.full(len(raw), NOISE)
    for new, old in enumerate(columns):
        found[raw == old] = new
    return found
