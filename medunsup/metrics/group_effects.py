"""How a covariate differs between a group of rows and all others, with bootstrap intervals. Arrays only."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError
from medunsup.metrics.bootstrap import CONFIDENCE, NAN, Estimate

DRAWS = 999
FEWEST = 6  # rows, or subjects, on a side: of fewer a percentile interval says nothing

Floats = NDArray[np.float64]


def mean_difference(
    values: ArrayLike, is_in: ArrayLike, *, subjects: ArrayLike | None = None, seed: int = 0
) -> Estimate:
    """Mean in a group less that outside, in pooled standard deviations (Cohen 1988), with its interval.

    Parameters
    ----------
    values : array-like of shape (N,)
        Numbers, finite.
    is_in : array-like of shape (N,), bool
        Which rows are in the group.
    subjects : array-like of N names, optional
        Subject of each row; each row by itself if not given. A subject counts once, its rows share in that.
    seed : int, default 0
        Of the bootstrap, which draws subjects inside and outside of the group by themselves.

    Returns
    -------
    Estimate
        The difference; NaN if fewer than two are inside or outside, or all numbers are equal. The interval is
        NaN if fewer than six are.

    Raises
    ------
    ArrayError
        If both are not of one length.

    Examples
    --------
    >>> from medunsup.metrics.group_effects import mean_difference
    >>> round(mean_difference([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0]).value, 2)
    -3.0
    """
    numbers, inside = _paired(np.asarray(values, np.float64), is_in)
    of = subject_numbers(subjects, len(numbers))
    n = len(np.unique(of))
    first, second = (_moments(numbers[side] - numbers.mean(), of[side]) for side in (inside, ~inside))
    if min(len(first), len(second)) < 2:
        return Estimate(NAN, NAN, NAN, n)
    value = float(_standardised(first[None], second[None])[0])
    if min(len(first), len(second)) < FEWEST:
        return Estimate(value, NAN, NAN, n)
    generator = np.random.default_rng(seed)
    drawn = _standardised(_resampled(first, generator), _resampled(second, generator))
    return _estimate(value, drawn, n)


def share_difference(
    is_so: ArrayLike, is_in: ArrayLike, *, subjects: ArrayLike | None = None, seed: int = 0
) -> Estimate:
    """Share of rows of a kind in a group less that outside (risk difference), with its interval.

    Parameters
    ----------
    is_so : array-like of shape (N,), bool
        Which rows are of the kind.
    is_in : array-like of shape (N,), bool
        Which rows are in the group.
    subjects : array-like of N names, optional
        Subject of each row; each row by itself if not given. A subject counts once, its rows share in that.
    seed : int, default 0
        Of the interval: each share has a beta distribution around it (Jeffreys' prior), so that an interval
        stands also where all rows are of the kind.

    Returns
    -------
    Estimate
        The difference, in [-1, 1]; NaN if no row is inside, or none outside.

    Raises
    ------
    ArrayError
        If both are not of one length.

    Examples
    --------
    >>> from medunsup.metrics.group_effects import share_difference
    >>> share_difference([1, 1, 0, 0], [1, 1, 0, 0]).value
    1.0
    """
    so, inside = _paired(np.asarray(is_so, bool), is_in)
    of = subject_numbers(subjects, len(so))
    n = len(np.unique(of))
    sides = [(so[side], weights_of(of[side])) for side in (inside, ~inside)]
    counts = np.array([weights[is_one].sum() for is_one, weights in sides])
    sizes = np.array([weights.sum() for _, weights in sides])
    if not sizes.all():
        return Estimate(NAN, NAN, NAN, n)
    generator = np.random.default_rng(seed)
    drawn = generator.beta(counts + 0.5, np.maximum(sizes - counts, 0) + 0.5, size=(4 * DRAWS, 2))
    shares = counts / sizes
    return _estimate(float(shares[0] - shares[1]), drawn[:, 0] - drawn[:, 1], n)


def cramers_v(
    groups: ArrayLike, levels: ArrayLike, *, subjects: ArrayLike | None = None, seed: int = 0
) -> Estimate:
    """Association of groups with words, 0 none to 1 one tells the other, with its bootstrap interval.

    Less what chance gives (Bergsma 2013, A bias-correction for Cramer's V, J. Korean Statistical Society).

    Parameters
    ----------
    groups : array-like of shape (N,)
        Group of each row.
    levels : array-like of shape (N,)
        Word of each row.
    subjects : array-like of N names, optional
        Subject of each row; each row by itself if not given. A subject counts once, its rows share in that.
    seed : int, default 0
        Of the bootstrap over subjects.

    Returns
    -------
    Estimate
        Cramer's V; NaN if either has a single name. The interval is NaN of fewer than six subjects.

    Raises
    ------
    ArrayError
        If both are not of one length.

    Examples
    --------
    >>> from medunsup.metrics.group_effects import cramers_v
    >>> cramers_v([0, 0, 0, 1, 1, 1], list("aaabbb")).value
    1.0
    """
    first, second = (np.unique(np.asarray(each), return_inverse=True) for each in (groups, levels))
    shape = (len(first[0]), len(second[0]))
    cells, _ = _paired(first[1] * shape[1] + second[1], np.zeros(len(second[1]), bool))
    of = subject_numbers(subjects, len(cells))
    n = len(np.unique(of))
    if min(shape) < 2:
        return Estimate(NAN, NAN, NAN, n)
    generator = np.random.default_rng(seed)
    counts = np.asarray(np.bincount(cells, weights_of(of), shape[0] * shape[1]), np.float64)
    value = _corrected_v(counts.reshape(shape))
    if n < FEWEST:
        return Estimate(value, NAN, NAN, n)
    drawn: Floats
    if n == len(cells):
        drawn = generator.multinomial(n, counts / n, size=DRAWS).astype(np.float64)
    else:
        drawn = _tables_of_subjects(cells, of, shape[0] * shape[1], generator)
    return _estimate(value, np.array([_corrected_v(each.reshape(shape)) for each in drawn]), n)


def subject_numbers(subjects: ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Return the number (N,) of each row's subject. Raises ArrayError if there is not one name a row."""
    if subjects is None:
        return np.arange(n)
    names = np.asarray(subjects)
    if names.shape != (n,):
        raise ArrayError(f"subjects name one subject a row: {n} are needed, not {names.shape}.")
    return np.asarray(np.unique(names, return_inverse=True)[1], np.intp)


def weights_of(subjects: NDArray[np.intp]) -> Floats:
    """Return the weight (N,) of each row, which is 1 shared by the rows of its subject."""
    return 1 / np.bincount(subjects)[subjects] if subjects.size else np.zeros(0)


def _tables_of_subjects(
    cells: NDArray[np.intp], of: NDArray[np.intp], n_cells: int, generator: np.random.Generator
) -> Floats:
    """Draw subjects; return counts (DRAWS, cells) of their rows."""
    n = int(of.max()) + 1
    own = np.zeros((n, n_cells))
    np.add.at(own, (of, cells), weights_of(of))
    return np.stack([np.bincount(generator.integers(n, size=n), minlength=n) @ own for _ in range(DRAWS)])


def _corrected_v(table: Floats) -> float:
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (r, c) = table.sum(), table.shape
    if min(r, c) < 2 or n < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    most = min(rows, columns) - 1
    return float(min(1.0, np.sqrt(phi / most))) if most > 0 else 0.0


def _moments(values: Floats, subjects: NDArray[np.intp]) -> Floats:
    """Return mean and mean square (G, 2) of each subject's values."""
    _, of = np.unique(subjects, return_inverse=True)
    rows = np.bincount(of)
    return np.stack([np.bincount(of, weights=power) / rows for power in (values, values**2)], axis=1)


def _standardised(first: Floats, second: Floats) -> Floats:
    """Return differences (M,) of moments (M, G, 2) inside and outside, in pooled standard deviations."""
    n, m = first.shape[1], second.shape[1]
    (inside, a), (outside, b) = (each.mean(axis=1).T for each in (first, second))
    squares = n * np.maximum(a - inside**2, 0) + m * np.maximum(b - outside**2, 0)
    squares[squares <= 1e-12 * (n * a + m * b)] = 0  # equal values, but for rounding
    spread = np.sqrt(squares / (n + m - 2))
    return np.divide(inside - outside, spread, out=np.full_like(spread, NAN), where=spread > 0)


def _resampled(moments: Floats, generator: np.random.Generator) -> Floats:
    return moments[generator.integers(len(moments), size=(DRAWS, len(moments)))]


def _estimate(value: float, drawn: Floats, n: int) -> Estimate:
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not known.size:
        return Estimate(NAN, NAN, NAN, n)
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high), n)


def _paired(values: NDArray[Any], is_in: ArrayLike) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    inside = np.asarray(is_in, bool)
    if values.ndim != 1 or values.shape != inside.shape:
        raise ArrayError(f"One value and one mark a row are needed, not {values.shape} and {inside.shape}.")
    return values, inside
