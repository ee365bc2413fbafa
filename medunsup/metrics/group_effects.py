"""How a covariate differs between a group of rows and all others, with bootstrap intervals. Arrays only."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError
from medunsup.metrics.bootstrap import CONFIDENCE, NAN, Estimate

DRAWS = 999

Floats = NDArray[np.float64]


def mean_difference(values: ArrayLike, is_in: ArrayLike, *, seed: int = 0) -> Estimate:
    """Mean in a group less that outside, in pooled standard deviations (Cohen 1988), with its interval.

    Parameters
    ----------
    values : array-like of shape (N,)
        Numbers, finite.
    is_in : array-like of shape (N,), bool
        Which rows are in the group.
    seed : int, default 0
        Of the bootstrap, which draws rows inside and outside of the group by themselves.

    Returns
    -------
    Estimate
        The difference; NaN if fewer than two rows are inside or outside, or all numbers are equal.

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
    first, second = numbers[inside][None], numbers[~inside][None]
    if min(first.size, second.size) < 2:
        return Estimate(NAN, NAN, NAN, numbers.size)
    generator = np.random.default_rng(seed)
    value = float(_standardised(first, second)[0])
    drawn = _standardised(_resampled(first[0], generator), _resampled(second[0], generator))
    return _estimate(value, drawn, numbers.size)


def share_difference(is_so: ArrayLike, is_in: ArrayLike, *, seed: int = 0) -> Estimate:
    """Share of rows of a kind in a group less that outside (risk difference), with its interval.

    Parameters
    ----------
    is_so : array-like of shape (N,), bool
        Which rows are of the kind.
    is_in : array-like of shape (N,), bool
        Which rows are in the group.
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
    counts = np.array([so[inside].sum(), so[~inside].sum()])
    sizes = np.array([inside.sum(), (~inside).sum()])
    if not sizes.all():
        return Estimate(NAN, NAN, NAN, so.size)
    generator = np.random.default_rng(seed)
    drawn = generator.beta(counts + 0.5, sizes - counts + 0.5, size=(4 * DRAWS, 2))
    shares = counts / sizes
    return _estimate(float(shares[0] - shares[1]), drawn[:, 0] - drawn[:, 1], so.size)


def cramers_v(groups: ArrayLike, levels: ArrayLike, *, seed: int = 0) -> Estimate:
    """Association of groups with words, 0 none to 1 one tells the other, with its bootstrap interval.

    Less what chance gives (Bergsma 2013, A bias-correction for Cramer's V, J. Korean Statistical Society).

    Parameters
    ----------
    groups : array-like of shape (N,)
        Group of each row.
    levels : array-like of shape (N,)
        Word of each row.
    seed : int, default 0
        Of the bootstrap over rows.

    Returns
    -------
    Estimate
        Cramer's V; NaN if either has a single name.

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
    if min(shape) < 2:
        return Estimate(NAN, NAN, NAN, cells.size)
    generator = np.random.default_rng(seed)
    counts = np.bincount(cells, minlength=shape[0] * shape[1])
    drawn = generator.multinomial(cells.size, counts / cells.size, size=DRAWS)
    values = [_corrected_v(each.reshape(shape)) for each in drawn]
    return _estimate(_corrected_v(counts.reshape(shape)), np.array(values), cells.size)


def _corrected_v(table: NDArray[np.int64]) -> float:
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


def _standardised(first: Floats, second: Floats) -> Floats:
    n, m = first.shape[1], second.shape[1]
    squares = (n - 1) * first.var(axis=1, ddof=1) + (m - 1) * second.var(axis=1, ddof=1)
    spread = np.sqrt(squares / (n + m - 2))
    difference = first.mean(axis=1) - second.mean(axis=1)
    return np.divide(difference, spread, out=np.full_like(spread, NAN), where=spread > 0)


def _resampled(values: Floats, generator: np.random.Generator) -> Floats:
    return values[generator.integers(len(values), size=(DRAWS, len(values)))]


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
