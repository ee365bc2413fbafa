"""Take out of features what comes from the scanner: ComBat, an offset and a spread of each site.

Johnson, Li & Rabinovic (2007), Adjusting batch effects in microarray expression data using empirical Bayes
methods, Biostatistics 8(1). Fortin et al. (2018), Harmonization of cortical thickness measurements across
scanners and sites, NeuroImage 167.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from medunsup.clustering.covariates import CovariateCoding, Covariates
from medunsup.core.errors import ArrayError

MOST_STEPS = 1000
FLOOR = 1e-12
SHOWN = 5

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class ComBat(TransformerMixin, BaseEstimator):
    """Features as if all had come from one site, by parametric empirical Bayes.

    A feature is a mean, the effect of the covariates, and an offset and a spread of the site. Those of a site
    are drawn towards what all its features have in common, the more the fewer its rows. Effects of covariates
    are kept. A site of one row is moved, not scaled.

    Parameters
    ----------
    tolerance : float, default 1e-08
        Change of offsets and spreads, in units of the features' spread, at which their iteration ends.

    Attributes
    ----------
    sites_ : tuple of str
        The S sites.
    mean_ : ndarray of shape (D,)
        Mean of each feature over sites, weighted by their rows, for mean covariates.
    spread_ : ndarray of shape (D,)
        Standard deviation of each feature within sites, given the covariates.
    effects_ : ndarray of shape (P, D)
        Of one standard deviation of each column of the covariates.
    shift_, scale_ : ndarray of shape (S, D)
        Offset and spread of each site, in units of `spread_`.
    remarks_ : list of str
        What deserves to be known, such as a site of one row.

    Notes
    -----
    Limit: offsets and spreads are all it takes out, and where a site holds patients alone it cannot tell
    their illness from their scanner: it takes out both. With the diagnosis as a covariate that is refused.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import ComBat
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> site = np.repeat(["A", "B"], 20)
    >>> X[20:] += 3
    >>> harmonised = ComBat().fit(X, site).transform(X, site)
    >>> bool(abs(harmonised[:20].mean() - harmonised[20:].mean()) < 0.1)
    True
    """

    def __init__(self, *, tolerance: float = 1e-8) -> None:
        self.tolerance = tolerance

    def fit(self, X: ArrayLike, sites: Sequence[str], covariates: Covariates | None = None) -> Self:
        """Learn what is each site's own.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features.
        sites : sequence of str
            Site, or scanner, of each row.
        covariates : dict of str to sequence, or array-like of shape (N, P), optional
            What is known of each row, such as age and sex; its effect is kept. Words are groups.

        Returns
        -------
        ComBat
            Itself.

        Raises
        ------
        ArrayError
            If there is one site alone, the parts do not fit together, or a covariate cannot be told from the
            sites.
        """
        if not 0 < self.tolerance < 1:
            raise ArrayError(f"tolerance is between 0 and 1, not {self.tolerance}.")
        rows = _rows(X)
        self.remarks_: list[str] = []
        self.sites_, place = _sites(sites, len(rows))
        self._coding = CovariateCoding(covariates)
        columns = self._coding.matrix(covariates, len(rows))
        self._centre, spread = columns.mean(axis=0), columns.std(axis=0)
        self._width = np.where(spread > FLOOR, spread, 1.0)
        known = (columns - self._centre) / self._width
        is_site = (place[:, None] == np.arange(len(self.sites_))).astype(np.float64)
        self._check_told_apart(is_site, known, spread)
        self.n_features_in_ = rows.shape[1]
        standard = self._standardised(rows, is_site, known)
        self.shift_ = np.zeros((len(self.sites_), rows.shape[1]))
        self.scale_, varies = np.ones_like(self.shift_), standard.any(axis=0)
        for site, name in enumerate(self.sites_ if varies.any() else ()):
            found = self._of_site(standard[place == site][:, varies], name)
            self.shift_[site, varies], self.scale_[site, varies] = found
        return self

    def transform(self, X: ArrayLike, sites: Sequence[str], covariates: Covariates | None = None) -> Floats:
        """Harmonise rows, each as if it were alone.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features.
        sites : sequence of str
            Site of each row, one of those that were fitted.
        covariates : dict of str to sequence, or array-like of shape (N, P), optional
            Those that were fitted.

        Returns
        -------
        ndarray of shape (N, D), float64
            The features harmonised.

        Raises
        ------
        ArrayError
            If a site or a word of a covariate was not fitted, or the parts do not fit together.
        """
        check_is_fitted(self, "shift_")
        rows = _rows(X, self.n_features_in_)
        place = self._places(sites, len(rows))
        expected = self.mean_ + self.explained(covariates, len(rows))
        standard = (rows - expected) / self.spread_
        return (standard - self.shift_[place]) / self.scale_[place] * self.spread_ + expected

    def fit_transform(
        self, X: ArrayLike, sites: Sequence[str], covariates: Covariates | None = None, **_: Any
    ) -> Floats:
        """Fit and harmonise the same rows.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Features.
        sites : sequence of str
            Site of each row.
        covariates : dict of str to sequence, or array-like of shape (N, P), optional
            What is known of each row; its effect is kept.
        **_ : object
            Not used; scikit-learn's pipelines hand it over.

        Returns
        -------
        ndarray of shape (N, D), float64
            The features harmonised.

        Examples
        --------
        >>> import numpy as np
        >>> from medunsup.clustering import ComBat
        >>> X = np.random.default_rng(0).normal(size=(40, 5))
        >>> ComBat().fit_transform(X, ["A"] * 20 + ["B"] * 20).shape
        (40, 5)
        """
        return self.fit(X, sites, covariates).transform(X, sites, covariates)

    def explained(self, covariates: Covariates | None, n: int) -> Floats:
        """Return what the covariates of rows add to their features.

        Parameters
        ----------
        covariates : dict of str to sequence, or array-like of shape (N, P), or None
            Those that were fitted.
        n : int
            Number of rows N.

        Returns
        -------
        ndarray of shape (N, D), float64
            What they add; 0 for mean covariates.

        Examples
        --------
        >>> import numpy as np
        >>> from medunsup.clustering import ComBat
        >>> X = np.random.default_rng(0).normal(size=(40, 5))
        >>> combat = ComBat().fit(X, ["A", "B"] * 20, {"age": range(40)})
        >>> combat.explained({"age": [19.5]}, 1).tolist()
        [[0.0, 0.0, 0.0, 0.0, 0.0]]
        """
        known = (self._coding.matrix(covariates, n) - self._centre) / self._width
        added = np.zeros((n, self.n_features_in_))
        for column, effect in zip(known.T, self.effects_, strict=True):
            added += column[:, None] * effect  # no matrix product: a row comes out alone as in a batch
        return added

    def _standardised(self, rows: Floats, is_site: Floats, known: Floats) -> Floats:
        """Fit mean, effects and spread; return rows without them, 0 for a feature that is constant."""
        n, n_sites = is_site.shape
        fitted = np.linalg.lstsq(np.hstack([is_site, known]), rows, rcond=None)[0]
        self.effects_ = fitted[n_sites:]
        self.mean_ = is_site.sum(axis=0) / n @ fitted[:n_sites]
        variance = ((rows - np.hstack([is_site, known]) @ fitted) ** 2).mean(axis=0)
        is_constant = variance <= (FLOOR * np.abs(rows).max(axis=0, initial=0)) ** 2
        self.spread_ = np.sqrt(np.where(is_constant, 1.0, variance))
        standard = (rows - self.mean_ - known @ self.effects_) / self.spread_
        standard[:, np.ptp(rows, axis=0) == 0] = 0.0
        return standard

    def _of_site(self, standard: Floats, name: str) -> tuple[Floats, Floats]:
        """Return offset and spread (D,) of a site from its standardised rows (n, D)."""
        n, d = standard.shape
        mean = standard.mean(axis=0)
        if n == 1:
            self.remarks_.append(
                f"Site {name} has one row: it is moved, but its spread is not known and left as it is."
            )
            return (mean if d == 1 else _posterior_mean(mean, 1, np.ones(d))), np.ones(d)
        variance = standard.var(axis=0, ddof=1)
        variance = np.where(variance <= FLOOR, 1.0, variance)
        if d > 1:
            mean, variance = self._empirical_bayes(standard, mean, variance)
        return mean, np.sqrt(variance)

    def _empirical_bayes(self, standard: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Draw mean and variance (D,) of a site's features towards their common distribution.

        Normal for means, inverse gamma for variances; the two conditional posterior means in turn.
        """
        n = len(standard)
        centre, width = variance.mean(), max(variance.var(ddof=1), FLOOR * variance.mean() ** 2)
        shape, rate = (2 * width + centre**2) / width, (centre * width + centre**3) / width
        old_mean, old_variance = mean, variance
        for _ in range(MOST_STEPS):
            new_mean = _posterior_mean(mean, n, old_variance)
            squares = ((standard - new_mean) ** 2).sum(axis=0)
            new_variance = (squares / 2 + rate) / (n / 2 + shape - 1)
            change = max(np.abs(new_mean - old_mean).max(), np.abs(new_variance - old_variance).max())
            old_mean, old_variance = new_mean, new_variance
            if change <= self.tolerance:
                break
        return old_mean, old_variance

    def _places(self, sites: Sequence[str], n: int) -> Places:
        names = _names(sites, n)
        new = sorted(set(names) - set(self.sites_))
        if new:
            raise ArrayError(
                f"Site {new[0]!r} was not fitted, only {', '.join(self.sites_[:SHOWN])}: nothing is known of "
                "its offset. Fit again with rows of that site."
            )
        return np.array([self.sites_.index(name) for name in names], dtype=np.intp)

    def _check_told_apart(self, is_site: Floats, known: Floats, spread: Floats) -> None:
        """Raise ArrayError if the sites and the covariates do not have effects of their own."""
        names = np.array(self._coding.names_)
        same = names[spread <= FLOOR]
        if len(same):
            raise ArrayError(f"The covariate {same[0]!r} is the same in all rows. Leave it out.")
        both = np.hstack([is_site, known])
        if len(both) <= both.shape[1]:
            raise ArrayError(
                f"{len(both)} rows do not tell {is_site.shape[1]} sites and {known.shape[1]} covariates "
                "apart. Leave covariates out, or have more rows."
            )
        rank = np.linalg.matrix_rank(both)
        if rank == both.shape[1]:
            return
        guilty = next(
            (one for one in dict.fromkeys(names) if _rank_beside(is_site, known, names != one)), names[0]
        )
        raise ArrayError(
            f"The covariate {str(guilty)!r} cannot be told from the sites and the other covariates, as where "
            "one site holds all patients: taking the site out would take its effect out as well. Leave the "
            "covariate out and know that its effect is lost, or have rows of both kinds in one site."
        )


def _rank_beside(is_site: Floats, known: Floats, is_kept: NDArray[np.bool_]) -> bool:
    """Whether a design is of full rank once a covariate is left out."""
    rest = np.hstack([is_site, known[:, is_kept]])
    return bool(np.linalg.matrix_rank(rest) == rest.shape[1])


def _posterior_mean(mean: Floats, n: int, variance: Floats) -> Floats:
    """Draw a site's means towards their own mean, by how widely they lie around it."""
    width = mean.var(ddof=1)
    return (width * n * mean + variance * mean.mean()) / (width * n + variance)


def _rows(X: ArrayLike, d: int | None = None) -> Floats:
    rows = check_array(X, dtype=np.float64)
    if d is not None and rows.shape[1] != d:
        raise ArrayError(f"X has {rows.shape[1]} features, but {d} were fitted.")
    return np.asarray(rows)


def _names(sites: Sequence[str], n: int) -> list[str]:
    names = [str(site).strip() for site in sites]
    if len(names) != n:
        raise ArrayError(f"There are {len(names)} sites for {n} rows. Give one a row.")
    if "" in names:
        raise ArrayError(f"The site of row {names.index('') + 1} is empty. Fill it, or leave the row out.")
    return names


def _sites(sites: Sequence[str], n: int) -> tuple[tuple[str, ...], Places]:
    names = _names(sites, n)
    there = tuple(sorted(set(names)))
    if len(there) < 2:
        raise ArrayError(f"All rows are of the site {there[0]!r}: there is nothing to harmonise.")
    return there, np.array([there.index(name) for name in names], dtype=np.intp)
