"""Read a table of features, ours or a user's own, and say which of its columns is what."""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.cohort.dataset.health import is_nothing
from medunsup.cohort.feature_table.formats import Columns, Numbers, open_columns
from medunsup.cohort.feature_table.table import FeatureTable, few, hint
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.notice import tell
from medunsup.core.paths import user_path

KEY_OF = {
    "scan": "scan",
    **dict.fromkeys(("participant_id", "subject", "subject_id", "id"), "subject"),
    "session": "session",
    "session_id": "session",
}
MARK = "/"  # in the name of a feature of ours
NUMBER = re.compile(r"[+-]?[\d.,' ]*\d[\d.,' ]*(e[+-]?\d+)?\s*%?", re.IGNORECASE)  # however it is written

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Roles:
    """Which column is what; `keys` are key -> column."""

    keys: Mapping[str, str]
    covariates: Sequence[str]
    features: Sequence[str]


def read_features(
    path: str | Path,
    *,
    covariates: Sequence[str] = (),
    drop_incomplete: bool = False,
    drop_constant: bool = True,
) -> FeatureTable:
    """Read a table of features: Parquet, CSV or TSV.

    Columns named scan, participant_id (or subject) and session say whose row it is. If the name of any column
    holds "/", as in tables that `embed` writes, only those are features and all others are covariates. Else
    every column of numbers is a feature but those that `covariates` names; columns of words are covariates,
    which is told.

    Parameters
    ----------
    path : str or Path
        The table; its name ends in .parquet, .csv or .tsv.
    covariates : sequence of str, default ()
        Columns that are no features, such as age or site.
    drop_incomplete : bool, default False
        Leave rows out in which a feature is missing; without it they are an error.
    drop_constant : bool, default True
        Leave features out that are the same in all rows.

    Returns
    -------
    FeatureTable
        The features, and what else is known of each row.

    Raises
    ------
    MissingError
        If there is no such file.
    InputError
        If it cannot be read, or a feature is missing or not finite.
    UsageError
        If a column holds numbers and words and is not named as a covariate, or no feature is left.
    DependencyError
        If it is a Parquet file and pyarrow is not installed.

    Examples
    --------
    >>> import medunsup
    >>> table = medunsup.FeatureTable([[612.0], [598.5]], ["volumes/GM_ml"], {"subject": ["01", "02"]})
    >>> path = medunsup.write_features("features.csv", table, force=True)
    >>> medunsup.read_features(path).column("subject")
    ('01', '02')
    """
    path = user_path(path)
    columns = open_columns(path)
    roles = roles_of(columns.names, tuple(covariates), path)
    roles, arrays = _words_aside(columns, roles, path)
    if not arrays or not len(arrays[0]):
        raise InputError(f"{path}: has no {'rows' if arrays else 'column of features'}. Fill the table.")
    table = FeatureTable(
        np.zeros((len(arrays[0]), 0)),
        (),
        {key: columns.words(name) for key, name in roles.keys.items()},
        {name: columns.words(name) for name in roles.covariates},
        columns.attributes or attributes_beside(path),
    )
    return _checked(table, np.column_stack(arrays), roles.features, path, drop_incomplete, drop_constant)


def sidecar(path: Path) -> Path:
    """Name the file beside a table that says how it was made."""
    return path.with_suffix(".json")


def roles_of(names: Sequence[str], named: Sequence[str], path: Path) -> Roles:
    """Tell columns apart by their names. Raises UsageError for one that is named but not there."""
    keys: dict[str, str] = {}
    for name in names:
        key = None if name in named else KEY_OF.get(name.casefold())
        if key and key in keys:
            raise UsageError(f"{path}: {keys[key]!r} and {name!r} both name the {key}. Leave one out.")
        if key:
            keys[key] = name
    lost = [name for name in named if name not in names]
    if lost:
        raise UsageError(f"{path}: has no column {lost[0]!r}. {hint(lost[0], names)}")
    other = [name for name in names if name not in keys.values()]
    ours = [name for name in other if MARK in name]
    features = [name for name in ours or other if name not in named]
    return Roles(keys, [name for name in other if name not in features], features)


def are_words(cells: Iterable[str]) -> bool:
    """Whether no cell of a column is a number, however it is written, and some say something."""
    there = {cell.strip() for cell in cells if not is_nothing(cell)}
    return bool(there) and not any(map(NUMBER.fullmatch, there))


def without_words(roles: Roles, words: Sequence[str], names: Sequence[str], path: Path) -> Roles:
    """Take columns of words for covariates, which is told; `names` are all columns in their order."""
    if not words:
        return roles
    tell(log, "%s: no features, as they hold words (%d): %s.", path, len(words), few(words))
    aside = {*roles.covariates, *words}
    return Roles(
        roles.keys,
        [name for name in names if name in aside],
        [name for name in roles.features if name not in words],
    )


def _words_aside(columns: Columns, roles: Roles, path: Path) -> tuple[Roles, list[Numbers]]:
    """Read the features, and take columns of words of a user's own table for covariates."""
    arrays = {name: _numbers(columns, name, path) for name in roles.features}
    words = [name for name, of in arrays.items() if of is None]
    return without_words(roles, words, columns.names, path), [of for of in arrays.values() if of is not None]


def _numbers(columns: Columns, name: str, path: Path) -> Numbers | None:
    """Read a feature; None for a column of words. Raises UsageError for one of numbers and words."""
    try:
        return columns.numbers(name)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        if MARK not in name and are_words(columns.words(name)):
            return None
        raise UsageError(
            f"{path}: column {name!r} holds words ({str(error)[:40]!r}), so it is no feature. Name it in "
            f"{option('covariates', name)}, correct that cell, or leave the column out."
        ) from error


def _checked(
    table: FeatureTable, values: Numbers, names: Sequence[str], path: Path, incomplete: bool, constant: bool
) -> FeatureTable:
    is_whole = np.isfinite(values).all(axis=1)
    if not is_whole.all():
        _check_dropped(table, values, names, path, incomplete)
        table, values = table.rows(is_whole), values[is_whole]
    _tell_repeats(table, path)
    varies = (values != values[:1]).any(axis=0) if constant else np.ones(len(names), bool)
    if not varies.any():
        if len(values) == 1:
            raise UsageError(f"{path}: has one row, and one row cannot be compared with others.")
        raise UsageError(f"{path}: every feature is the same in all {len(values)} rows: nothing to compare.")
    if not varies.all():
        same = [name for name, one in zip(names, varies, strict=True) if not one]
        tell(log, "%s: left out, the same in all rows (%d): %s.", path, len(same), few(same))
    kept = [name for name, one in zip(names, varies, strict=True) if one]
    return FeatureTable(values[:, varies], kept, table.keys, table.covariates, table.attributes)


def _check_dropped(
    table: FeatureTable, values: Numbers, names: Sequence[str], path: Path, drop: bool
) -> None:
    """Raise InputError for rows with gaps unless they may be left out; tell of those that are."""
    bad = np.argwhere(~np.isfinite(values))
    rows = sorted(set(bad[:, 0].tolist()))
    n, d = bad[0]
    cell = "is empty" if np.isnan(values[n, d]) else f"is {values[n, d]}"
    where = f"row {n + 1}" + (f" ({table.label(n)})" if table.keys else "")
    where = f"{path}: {names[d]!r} of {where} {cell}"
    if len(rows) == len(values):
        raise InputError(f"{where}, and no row is whole. Leave columns out that are often empty.")
    if not drop:
        raise InputError(
            f"{where} ({len(rows)} of {len(values)} rows are not whole). Fill it, or leave such rows out "
            f"with {option('drop_incomplete', True)}."
        )
    labels = [table.label(row) for row in rows]
    log.warning("%s: %d of %d rows left out, not whole: %s.", path, len(rows), len(values), few(labels))


def _tell_repeats(table: FeatureTable, path: Path) -> None:
    if not table.keys:
        return
    counts = Counter(zip(*table.keys.values(), strict=True))
    twice = [" ".join(filter(None, who)) for who, n in counts.items() if n > 1]
    if twice:
        text = "%s: several rows have the same keys: %s. Each is used: remove one if a scan is there twice."
        log.warning(text, path, few(twice))


def attributes_beside(path: Path) -> dict[str, Any]:
    """Return what the file beside a table says of it; nothing if there is none."""
    try:
        found = json.loads(sidecar(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s: cannot be read (%s): how the table was made is not known.", sidecar(path), error)
        return {}
    return found if isinstance(found, dict) else {}
