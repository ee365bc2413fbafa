"""The number of clusters by one rule, which may answer that there are none."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from medunsup.clustering.choosing.curves import Curves, curves, proposals
from medunsup.clustering.choosing.fits import Floats, Make, Prepare, as_they_are
from medunsup.clustering.choosing.null import KINDS, NullComparison, compare
from medunsup.clustering.choosing.valleys import valley_p
from medunsup.clustering.subjects import Subjects, count, subjects_of
from medunsup.core.errors import ArrayError

ALPHA = 0.05
FEWEST = 8  # rows, or subjects, for each cluster, on average
DRAWS = 39  # the fewest that can show p = 0.05 by two figures
RULE = (
    "the largest K whose clusters are parted by a valley, each two, in rows that were not fitted "
    "(p <= 0.05), and are more stable or tighter than those of one Gaussian (p <= 0.05); 1 if there is none"
)


@dataclass(frozen=True)
class KChoice:
    """How many clusters there are, and why.

    Attributes
    ----------
    k : int
        Number of clusters; 1 if none were found.
    verdict : str
        The same in words.
    rule : str
        How it was chosen.
    ks : tuple of int
        Numbers that were tried.
    valley_p : tuple of float
        For each, p of the two clusters that are least apart; 1 for K = 1, NaN where a number that was given
        leaves too few rows to tell.
    nulls : tuple of NullComparison
        The method on rows without clusters, at the number that `compared` says.
    compared : int
        Number of clusters of that comparison: `k`, or the likeliest one that was given up.
    curves : Curves, optional
        What other criteria say of each number.
    proposals : dict of int
        The number that each criterion would choose by itself.

    Examples
    --------
    >>> from medunsup.clustering import KMeans, choose_k
    >>> def make(k, seed):
    ...     return KMeans(n_clusters=k, n_init=1, seed=seed)
    >>> rows = [[0.0], [0.1], [0.2], [0.3]] * 4 + [[5.0], [5.1], [5.2], [5.3]] * 4
    >>> choice = choose_k(make, rows, ks=[2], with_curves=False)
    >>> choice.ks, choice.k
    ((1, 2), 2)
    """

    k: int
    verdict: str
    rule: str
    ks: tuple[int, ...]
    valley_p: tuple[float, ...]
    nulls: tuple[NullComparison, ...]
    compared: int
    curves: Curves | None
    proposals: dict[str, int]


def choose_k(
    make: Make,
    X: ArrayLike,
    *,
    ks: Sequence[int] = range(1, 11),
    seed: int = 0,
    draws: int = DRAWS,
    with_curves: bool = True,
    prepare: Prepare | None = None,
    drawn_from: ArrayLike | None = None,
    groups: Sequence[Hashable] | None = None,
) -> KChoice:
    """Choose the number of clusters by one rule, which may answer that there are none.

    It is the largest K whose clusters are parted by a valley, each two, in rows that were not fitted, and are
    more stable, or tighter, than clusters of one Gaussian with the same covariance. Shuffled columns tell
    whether clusters lie in single features. The other criteria are measured beside it and decide nothing.

    Parameters
    ----------
    make : callable
        Makes a method that is not fitted from a number of clusters and a seed.
    X : array-like of shape (N, D)
        Features, of comparable spreads; at least 16 rows.
    ks : sequence of int, default range(1, 11)
        Numbers to try; those that leave fewer than 8 rows a cluster are left out.
    seed : int, default 0
        Seed of every random choice.
    draws : int, default 39
        Draws of rows without clusters, of each kind; 39 are the fewest that can show p = 0.05, as there are
        two figures to compare.
    with_curves : bool, default True
        Whether to measure the other criteria, which takes most of the time.
    prepare : callable, optional
        Takes all rows (N, D) and the numbers of those to learn from, and returns all rows, prepared: what
        scales or harmonises them, so that held-out rows have no part in it.
    drawn_from : array-like of shape (N, D), optional
        Rows that those without clusters are drawn like: the harmonised ones where `prepare` harmonises.
    groups : sequence of N names, optional
        Subject of each row, "" where it is not known; each row by itself if not given. Rows of one subject
        are in the same half and fold, and the subject counts once.

    Returns
    -------
    KChoice
        The number, the verdict in words, and what it was told by.

    Raises
    ------
    ArrayError
        If rows, or subjects, are fewer than 16, or a feature is not finite.

    References
    ----------
    Hartigan and Hartigan, The dip test of unimodality, Annals of Statistics 1985. Kalogeratos and Likas,
    Dip-means, NeurIPS 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import KMeans, choose_k
    >>> rows = np.random.default_rng(0).normal(size=(60, 4))
    >>> rows[:30] += 5
    >>> def make(k, seed):
    ...     return KMeans(n_clusters=k, n_init=2, seed=seed)
    >>> choose_k(make, rows, ks=range(1, 4), with_curves=False).k
    2
    >>> choose_k(make, rows[:30], ks=range(1, 4), with_curves=False).verdict
    'No clusters were found: rows have no valley between 2 clusters or more (p = ...).'
    """
    rows, prepare = checked(X), prepare or as_they_are
    subjects = checked_subjects(groups, len(rows))
    like = rows if drawn_from is None else np.asarray(drawn_from, np.float64)
    tried = tuple(k for k in sorted({1, *ks}) if k == 1 or k * FEWEST <= count(subjects, len(rows)))
    generator = np.random.default_rng(seed)
    apart = [
        1.0
        if k == 1
        else valley_p(make, rows, k, seed=seed, generator=generator, prepare=prepare, subjects=subjects)
        for k in tried
    ]
    parted = max((k for k, p in zip(tried, apart, strict=True) if p <= ALPHA), default=1)
    likeliest = tried[1:][int(np.argmin(apart[1:]))] if len(tried) > 1 else 1
    compared = parted if parted > 1 else likeliest
    how: dict[str, Any] = {"seed": seed, "generator": generator, "prepare": prepare, "subjects": subjects}
    nulls = tuple(compare(kind, make, rows, compared, draws=draws, like=like, **how) for kind in KINDS)
    k = parted if nulls[0].p <= ALPHA else 1
    found = None
    if with_curves:
        found = curves(make, rows, tried, **how)
    return KChoice(
        k=k,
        verdict=_verdict(k, parted, min(apart), apart[tried.index(k)], nulls),
        rule=RULE,
        ks=tried,
        valley_p=tuple(apart),
        nulls=nulls,
        compared=compared,
        curves=found,
        proposals=proposals(found, tried) if found else {},
    )


def checked(X: ArrayLike) -> Floats:
    """Return rows (N, D). Raises ArrayError if they are too few or not finite."""
    rows = np.asarray(X, np.float64)
    if rows.ndim != 2 or len(rows) < 2 * FEWEST or not rows.shape[1]:
        raise ArrayError(
            f"To choose a number of clusters, {2 * FEWEST} rows (N, D) are needed, not {rows.shape}."
        )
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ArrayError(f"Row {row}, feature {column} is not finite. Leave the row out or fill it in.")
    return rows


def checked_subjects(groups: Sequence[Hashable] | None, n: int) -> Subjects | None:
    """Return the subjects of n rows. Raises ArrayError if they are too few."""
    subjects = subjects_of(groups, n)
    if count(subjects, n) < 2 * FEWEST:
        raise ArrayError(
            f"To choose a number of clusters, {2 * FEWEST} subjects are needed, not {count(subjects, n)}, "
            f"whose rows are {n}."
        )
    return subjects


def _verdict(k: int, parted: int, least: float, own: float, nulls: tuple[NullComparison, ...]) -> str:
    gaussian, shuffled = nulls
    if k > 1:
        text = (
            f"{k} clusters: a valley parts each two in rows that were not fitted (p = {own:.3f}), and they "
            f"are more stable or tighter than clusters of one Gaussian (p = {gaussian.p:.3f})."
        )
        alone = " They lie in single features: shuffled columns have them as well."
        return text + alone * (shuffled.p > ALPHA)
    if parted == 1:
        return f"No clusters were found: rows have no valley between 2 clusters or more (p = {least:.3f})."
    return (
        f"No clusters were found: {parted} clusters are no more stable or tighter than those of one Gaussian "
        f"of the same covariance (p = {gaussian.p:.3f})."
    )
