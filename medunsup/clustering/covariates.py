"""Covariates as a design matrix: numbers as they are, words as one column a word but the first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError

MOST_LEVELS = 20
SHOWN = 5

Floats = NDArray[np.float64]
Covariates = Mapping[str, Sequence[Any]] | ArrayLike


class CovariateCoding:
    """How covariates become numbers, remembered from the rows it was made of.

    Attributes
    ----------
    names_ : list of str
        Of each column of the design matrix, the covariate that it comes from.
    """

    def __init__(self, covariates: Covariates | None) -> None:
        columns = _columns(covariates)
        self._of = list(columns)
        self._columns: dict[str, list[str] | None] = {}
        for name, cells in columns.items():
            self._columns[name] = None if _as_numbers(name, cells) is not None else _levels(name, cells)
        coded = [(name, len(levels) - 1 if levels else 1) for name, levels in self._columns.items()]
        self.names_ = [name for name, width in coded for _ in range(width)]

    @classmethod
    def of(cls, levels: Mapping[str, list[str] | None]) -> "CovariateCoding":
        """Return the coding of covariates with these words, None for numbers."""
        coding = cls(None)
        coding._of, coding._columns = list(levels), dict(levels)
        return coding

    def matrix(self, covariates: Covariates | None, n: int) -> Floats:
        """Return (N, P) of n rows. Raises ArrayError for a covariate or a word that was not there."""
        columns = _columns(covariates)
        if set(columns) != set(self._of):
            raise ArrayError(
                f"Covariates are {', '.join(columns) or 'none'}, but were {', '.join(self._of) or 'none'}."
            )
        parts = [np.zeros((n, 0))]
        for name, levels in self._columns.items():
            cells = columns[name]
            if len(cells) != n:
                raise ArrayError(f"The covariate {name!r} has {len(cells)} values for {n} rows.")
            parts.append(_number_column(name, cells) if levels is None else _one_hot(name, cells, levels))
        return np.concatenate(parts, axis=1)


def _columns(covariates: Covariates | None) -> dict[str, list[Any]]:
    if covariates is None:
        return {}
    if isinstance(covariates, Mapping):
        return {str(name): list(cells) for name, cells in covariates.items()}
    array = np.asarray(covariates)
    if array.ndim != 2:
        raise ArrayError(f"Covariates are (N, P) or named columns, not of the shape {array.shape}.")
    return {f"covariate {n + 1}": column.tolist() for n, column in enumerate(array.T)}


def _as_numbers(name: str, cells: Sequence[Any]) -> Floats | None:
    """Return the cells as numbers; None if one is a word. Raises ArrayError for an empty one."""
    empty = [n for n, cell in enumerate(cells) if not str(cell).strip()]
    if empty:
        raise ArrayError(
            f"The covariate {name!r} is empty in row {empty[0] + 1}. Fill it or leave the row out."
        )
    try:
        numbers = np.array([float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return None
    if not np.isfinite(numbers).all():
        raise ArrayError(
            f"The covariate {name!r} is not finite in row {int(np.isnan(numbers).argmax()) + 1}."
        )
    return numbers


def _number_column(name: str, cells: Sequence[Any]) -> Floats:
    numbers = _as_numbers(name, cells)
    if numbers is None:
        raise ArrayError(f"The covariate {name!r} held numbers where it was fitted, and now words.")
    return numbers[:, None]


def _levels(name: str, cells: Sequence[Any]) -> list[str]:
    levels = sorted({str(cell).strip() for cell in cells})
    if len(levels) == 1:
        raise ArrayError(f"The covariate {name!r} is the same in all rows. Leave it out.")
    if len(levels) > MOST_LEVELS:
        raise ArrayError(
            f"The covariate {name!r} has {len(levels)} different words ({', '.join(levels[:SHOWN])} ...): it "
            "names the rows instead of grouping them. Leave it out."
        )
    return levels


def _one_hot(name: str, cells: Sequence[Any], levels: Sequence[str]) -> Floats:
    words = [str(cell).strip() for cell in cells]
    new = [word for word in words if word not in levels]
    if new:
        raise ArrayError(
            f"The covariate {name!r} is {new[0]!r}, which was not there before ({', '.join(levels)})."
        )
    return np.array([[word == level for level in levels[1:]] for word in words], dtype=np.float64)
