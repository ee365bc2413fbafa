"""Checks of rows of features, with errors that say which row or column and what to do."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import validate_data

from medunsup.core.errors import ArrayError

MOST_NAMED = 5

Floats = NDArray[np.float64]


def checked_rows(estimator: Any, X: ArrayLike, *, reset: bool) -> Floats:
    """Return rows (N, D) as float64, checked as scikit-learn does.

    With `reset` the estimator takes over number and names of the features, else they must be those.

    Raises ArrayError if they are no table of finite numbers, are of other features, or fewer than two rows
    for a fit.
    """
    least = 2 if reset else 1
    try:
        rows = validate_data(
            estimator,
            X,
            dtype=np.float64,
            reset=reset,
            ensure_all_finite=False,
            ensure_min_samples=least,
        )
    except ValueError as error:
        raise ArrayError(str(error)) from error
    broken = np.argwhere(~np.isfinite(rows))
    if len(broken):
        row, column = broken[0]
        raise ArrayError(
            f"Row {row} has NaN or inf in feature {_name(estimator, column)}. Fill it, or leave the row out."
        )
    return np.ascontiguousarray(rows) + 0.0  # no -0.0, which equals 0.0 and differs in its bytes


def refuse_constant(estimator: Any, rows: Floats) -> None:
    """Raise ArrayError that names features which are the same in all rows, or too large to be squared."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = rows.std(axis=0)
    is_constant = (rows == rows[0]).all(axis=0) | (spread == 0)
    refuse_constant_among(estimator, is_constant, len(rows))
    if not np.isfinite(spread).all():
        huge = _name(estimator, np.flatnonzero(~np.isfinite(spread))[0])
        raise ArrayError(f"Values of feature {huge} are too large to be squared. Give it in a larger unit.")


def refuse_constant_among(estimator: Any, is_constant: NDArray[np.bool_], n_rows: int) -> None:
    """Raise ArrayError that names the features (D,) that are constant, if any is."""
    constant = [_name(estimator, n) for n in np.flatnonzero(is_constant)]
    if constant:
        more = f" and {len(constant) - MOST_NAMED} more" if len(constant) > MOST_NAMED else ""
        raise ArrayError(
            f"Constant in all {n_rows} rows: feature {', '.join(constant[:MOST_NAMED])}{more}. "
            "A feature that never changes says nothing; leave it out."
        )


def several(n: int, noun: str) -> str:
    """Count in words: "1 row is", "3 rows are"."""
    return f"1 {noun} is" if n == 1 else f"{n} {noun}s are"


def _name(estimator: Any, column: Any) -> str:
    names = getattr(estimator, "feature_names_in_", None)
    return str(column) if names is None else str(names[column])
