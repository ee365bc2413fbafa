"""Whether features tell which scanner a row comes from, before and after they are harmonised."""

import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.clustering.combat import ComBat
from medunsup.clustering.covariates import Covariates
from medunsup.clustering.subjects import count, subjects_of
from medunsup.core.errors import ArrayError
from medunsup.metrics.bootstrap import CONFIDENCE, Estimate

__all__ = ["ComBat", "SiteSignal", "site_signal"]

FOLDS = 5
LEAST_ROWS = 3  # or subjects, of a site in a fold's training part, whose spread is estimated
DRAWS = 4000
C = 0.1  # of the logistic regression; smaller is a stronger penalty

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class SiteSignal:
    """How well a classifier tells the site of rows that it has not seen.

    Attributes
    ----------
    before, after : Estimate
        Balanced accuracy before and after harmonising, with its interval.
    chance : float
        Balanced accuracy of guessing, 1 / S for S sites.
    left_out : tuple of str
        Sites with too few rows to be asked about.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import site_signal
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> site_signal(X, ["A"] * 30 + ["B"] * 30).chance
    0.5
    """

    before: Estimate
    after: Estimate
    chance: float
    left_out: tuple[str, ...] = ()

    @property
    def is_there_before(self) -> bool:
        """Whether the site is told better than by chance from the features as they are."""
        return self.before.low > self.chance

    @property
    def is_there_after(self) -> bool:
        """Whether the site is told better than by chance from the harmonised features."""
        return self.after.low > self.chance


def site_signal(
    X: ArrayLike,
    sites: Sequence[str],
    *,
    covariates: Covariates | None = None,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> SiteSignal:
    """Ask a classifier for the site of held-out rows, before and after ComBat.

    Everything is fitted inside the folds. The classifier is a logistic regression on standardised features
    and their squares, so that it finds other means as well as other spreads. What covariates explain is taken
    out first, so that older people in one site are not taken for its scanner.

    Parameters
    ----------
    X : array-like of shape (N, D)
        Features.
    sites : sequence of str
        Site of each row. Those with fewer than four rows, or subjects, are left out.
    covariates : dict of str to sequence, or array-like of shape (N, P), optional
        As `ComBat` takes them.
    groups : sequence of N names, optional
        Subject of each row, "" where it is not known; each row by itself if not given. Rows of one subject
        are in one fold, and the intervals count subjects.
    seed : int, default 0
        Of the folds and the intervals.

    Returns
    -------
    SiteSignal
        Both accuracies, and chance.

    Raises
    ------
    ArrayError
        If fewer than two sites have enough rows, or ComBat cannot be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import site_signal
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> X[30:] += 2
    >>> found = site_signal(X, ["A"] * 30 + ["B"] * 30)
    >>> found.is_there_before, found.is_there_after
    (True, False)
    """
    rows, names = np.asarray(X, dtype=np.float64), np.array([str(site).strip() for site in sites])
    if rows.ndim != 2 or len(rows) != len(names):
        raise ArrayError(f"X is (N, D) with N sites, not of the shape {rows.shape} with {len(names)}.")
    given = subjects_of(groups, len(rows))
    subjects = np.arange(len(rows)) if given is None else given
    counts = {site: len(np.unique(subjects[names == site])) for site in np.unique(names).tolist()}
    few = tuple(sorted(site for site, n in counts.items() if n <= LEAST_ROWS))
    chosen = np.flatnonzero(~np.isin(names, few))
    there, labels = np.unique(names[chosen], return_inverse=True)
    subjects = np.unique(subjects[chosen], return_inverse=True)[1]
    if len(there) < 2:
        raise ArrayError(f"Fewer than two sites have more than {LEAST_ROWS} rows: none can be told apart.")
    folds = list(_folds(labels, subjects, seed))
    parts = [_of_fold(rows, names, covariates, chosen[train], chosen[test]) for train, test in folds]
    generator = np.random.default_rng(seed)
    hits = [np.zeros(len(labels), bool), np.zeros(len(labels), bool)]
    for (train, test), both in zip(folds, parts, strict=True):
        for right, (seen, asked) in zip(hits, both, strict=True):
            right[test] = _predicted(seen, labels[train], asked) == labels[test]
    before, after = (_estimate(right, labels, subjects, generator) for right in hits)
    return SiteSignal(before, after, 1 / len(there), few)


def _folds(labels: Places, subjects: Places, seed: int) -> Iterator[tuple[Places, Places]]:
    """Yield rows of each fold and those without; a subject of several sites counts for the rarest of them."""
    from sklearn.model_selection import StratifiedKFold

    there = np.unique(np.stack([subjects, labels], axis=1), axis=0)
    of_site = np.bincount(there[:, 1])
    order = np.argsort(-of_site[labels], kind="stable")
    rarest = np.empty(count(subjects, 0), np.intp)
    rarest[subjects[order]] = labels[order]
    n = min(FOLDS, int(of_site.min()))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        for _, test in StratifiedKFold(n, shuffle=True, random_state=seed).split(rarest, rarest):
            held = np.isin(subjects, test)
            yield np.flatnonzero(~held), np.flatnonzero(held)


def _of_fold(
    rows: Floats, names: NDArray[Any], covariates: Covariates | None, train: Places, test: Places
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return (train, test) rows as they are and harmonised, both without what covariates explain."""
    known = _some(covariates, train), _some(covariates, test)
    combat = ComBat().fit(rows[train], names[train].tolist(), known[0])
    before, after = [], []
    for which, of in zip((train, test), known, strict=True):
        explained = combat.explained(of, len(which))
        before.append(rows[which] - explained)
        after.append(combat.transform(rows[which], names[which].tolist(), of) - explained)
    return (before[0], before[1]), (after[0], after[1])


def _some(covariates: Covariates | None, which: Places) -> Covariates | None:
    if covariates is None:
        return None
    if isinstance(covariates, Mapping):
        return {name: [cells[n] for n in which] for name, cells in covariates.items()}
    return np.asarray(covariates)[which]


def _predicted(seen: Floats, labels: Places, asked: Floats) -> Places:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    first = StandardScaler().fit(seen)
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=C, class_weight="balanced", max_iter=300, tol=1e-3)
    )
    both = [np.hstack([z, z**2]) for z in (first.transform(seen), first.transform(asked))]
    return np.asarray(classifier.fit(both[0], labels).predict(both[1]), dtype=np.intp)


def _estimate(
    right: NDArray[np.bool_], labels: Places, subjects: Places, generator: np.random.Generator
) -> Estimate:
    """Return the mean over sites of the share told, with an interval.

    Each share has a beta distribution around it (Jeffreys' prior), so that an interval stands also where all
    rows are told. A subject counts once a site, its rows share in that.
    """
    cells = np.unique(np.stack([subjects, labels]), axis=1, return_inverse=True)[1]
    weights = 1 / np.bincount(cells)[cells]
    n = np.bincount(labels, weights=weights)
    told = np.bincount(labels, weights=weights * right)
    draws = generator.beta(told + 0.5, n - told + 0.5, size=(DRAWS, len(n))).mean(axis=1)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(float((told / n).mean()), float(low), float(high), count(subjects, 0))
