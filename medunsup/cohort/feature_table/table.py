"""A table of features in memory: named numbers of each row, whose row it is, and what else is known of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError, InputError, UsageError
from medunsup.core.shown import Shown

KEYS = ("scan", "subject", "session")
SHOWN = 3
FORBIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Values = NDArray[np.float64]
Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False, repr=False)
class FeatureTable(Shown):
    """Features of N scans, images or patches.

    Parameters
    ----------
    values : ndarray of shape (N, D), float64
        The features, finite.
    names : sequence of str
        Their D names, such as "volumes/GM_ml".
    keys : dict of str to sequence of str, optional
        Whose rows they are: N words each under "scan", "subject" and "session", or some of them.
    covariates : dict of str to sequence of str, optional
        What else is known of each row, such as the age: N words each, "" where it is not known.
    attributes : dict, optional
        How the features were made, as plain values.

    Raises
    ------
    ArrayError
        If the parts do not fit together, a value is not finite, or a name is empty or there twice.

    Examples
    --------
    >>> import medunsup
    >>> table = medunsup.FeatureTable([[612.0], [598.5]], ["volumes/GM_ml"], {"subject": ["01", "02"]})
    >>> len(table), table.names, table.label(1)
    (2, ('volumes/GM_ml',), '02')
    """

    values: Values
    names: Sequence[str]
    keys: Columns = field(default_factory=dict)
    covariates: Columns = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _matrix(self.values))
        object.__setattr__(self, "names", tuple(self.names))
        keys = {name: tuple(self.keys[name]) for name in KEYS if name in self.keys}
        if len(keys) < len(self.keys):
            raise ArrayError(f"keys are {', '.join(self.keys)}, but only {', '.join(KEYS)} are known.")
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "covariates", {name: tuple(of) for name, of in self.covariates.items()})
        _check_names([*keys, *self.covariates, *self.names])
        self._check_lengths()

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.values)

    def column(self, name: str) -> tuple[str, ...]:
        """Return a covariate or key as N words.

        Parameters
        ----------
        name : str
            Name of the column.

        Returns
        -------
        tuple of str
            Its cells.

        Raises
        ------
        UsageError
            If there is no such column.

        Examples
        --------
        >>> import medunsup
        >>> table = medunsup.FeatureTable([[612.0], [598.5]], ["GM"], covariates={"age": ["60", "71"]})
        >>> table.column("age")
        ('60', '71')
        """
        there = {**self.keys, **self.covariates}
        if name not in there:
            raise UsageError(f"There is no column {name!r}. {hint(name, list(there))}")
        return tuple(there[name])

    def label(self, row: int) -> str:
        """Name a row for a message or a picture.

        Parameters
        ----------
        row : int
            Which, from 0.

        Returns
        -------
        str
            Subject and session, or the scan, or "row 1".
        """
        who = [self.keys[key][row] for key in ("subject", "session") if key in self.keys]
        who = [word for word in who if word] or [self.keys["scan"][row] if "scan" in self.keys else ""]
        return " ".join(who) or f"row {row + 1}"

    def rows(self, chosen: ArrayLike) -> "FeatureTable":
        """Return some of the rows.

        Parameters
        ----------
        chosen : array-like of int or bool
            Which, by number or as a mask.

        Returns
        -------
        FeatureTable
            Those rows, in the order asked for.

        Examples
        --------
        >>> import medunsup
        >>> medunsup.FeatureTable([[612.0], [598.5]], ["GM"]).rows([1]).values.tolist()
        [[598.5]]
        """
        which = np.arange(len(self))[np.asarray(chosen)]
        return FeatureTable(
            self.values[which],
            self.names,
            {name: [of[n] for n in which] for name, of in self.keys.items()},
            {name: [of[n] for n in which] for name, of in self.covariates.items()},
            self.attributes,
        )

    def only(self, names: Sequence[str]) -> "FeatureTable":
        """Return the features named, in that order, as a model wants them that was fitted on others.

        Parameters
        ----------
        names : sequence of str
            Which features.

        Returns
        -------
        FeatureTable
            The same rows with those features.

        Raises
        ------
        InputError
            If one is not there.

        Examples
        --------
        >>> import medunsup
        >>> medunsup.FeatureTable([[612.0, 480.0]], ["GM", "WM"]).only(["WM"]).values.tolist()
        [[480.0]]
        """
        place = {name: n for n, name in enumerate(self.names)}
        lost = [name for name in names if name not in place]
        if lost:
            raise InputError(
                f"The table lacks {len(lost)} of {len(names)} features that are asked for: {few(lost)}. It "
                f"has {few(self.names)}. Make it in the way of the table that the model was fitted on."
            )
        values = self.values[:, [place[name] for name in names]]
        return FeatureTable(values, names, self.keys, self.covariates, self.attributes)

    def _check_lengths(self) -> None:
        n, d = self.values.shape
        if d != len(self.names):
            raise ArrayError(f"values have {d} columns, but there are {len(self.names)} names.")
        wrong = [name for name, of in {**self.keys, **self.covariates}.items() if len(of) != n]
        if wrong:
            raise ArrayError(f"{wrong[0]!r} does not have one word for each of the {n} rows.")


def hint(name: str, there: Sequence[str]) -> str:
    """Say which column was meant by a name that is not there, or which there are."""
    near = get_close_matches(name, there, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {few(there) or 'none'}."


def few(names: Sequence[str]) -> str:
    """Write the first names of many."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _matrix(values: ArrayLike) -> Values:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise ArrayError(f"values are (N, D): one row each, not of the shape {array.shape}.")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        row, column = bad[0]
        raise ArrayError(f"values hold {array[row, column]} in row {row + 1}, column {column + 1}.")
    return array


def _check_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not name.strip() or name != name.strip() or FORBIDDEN.search(name):
            raise ArrayError(f"{name!r} cannot name a column: it is empty or holds what is not printed.")
        if name in seen:
            raise ArrayError(f"Two columns are named {name!r}.")
        seen.add(name)
