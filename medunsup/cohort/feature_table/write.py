"""Write a table of features, whole or not at all, with a file beside it that says how it was made."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from medunsup.cohort.feature_table.formats import DELIMITERS, METADATA, PARQUET, check_ending, pyarrow
from medunsup.cohort.feature_table.read import KEY_OF, MARK, sidecar
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.core.errors import ResultThereError, UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.io.files.atomic import atomic_path, write_json

ROW_GROUP = 1 << 16  # rows, so that a table can be read in parts


def write_features(path: str | Path, table: FeatureTable, *, force: bool = False) -> Path:
    """Write a table of features as Parquet, CSV or TSV; reading it gives the same table.

    Keys come first, then covariates, then features. What `attributes` hold goes into a .json file of the same
    name (and into the Parquet file itself).

    Parameters
    ----------
    path : str or Path
        Where to; the name ends in .parquet, .csv or .tsv.
    table : FeatureTable
        What to write.
    force : bool, default False
        Replace a table that is there.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    UsageError
        If the name has another ending, or a column's name would make it be read as something else.
    ResultThereError
        If the file is there and `force` is False.
    OutputError
        If it cannot be written.
    DependencyError
        If it is to be a Parquet file and pyarrow is not installed.

    Examples
    --------
    >>> import medunsup
    >>> table = medunsup.FeatureTable([[612.0], [598.5]], ["volumes/GM_ml"])
    >>> medunsup.write_features("volumes.csv", table, force=True).name
    'volumes.csv'
    """
    path = user_path(path)
    check_ending(path)
    check_free(path, force=force)
    _check_read_back(table)
    with atomic_path(path) as temporary:
        if path.suffix.lower() == PARQUET:
            _write_parquet(temporary, table, path)
        else:
            _write_text(temporary, table, DELIMITERS[path.suffix.lower()])
    write_json(sidecar(path), dict(table.attributes))
    return path


def check_free(path: Path, *, force: bool) -> None:
    """Raise ResultThereError if the table, or the file beside it, is there and may not be replaced."""
    there = next((each for each in (path, sidecar(path)) if each.exists()), None)
    if there is not None and not force:
        raise ResultThereError(
            f"{there}: is there already. Choose another name, or replace it with {option('force', True)}."
        )


def _check_read_back(table: FeatureTable) -> None:
    """Raise UsageError for names by which a column would be read as what it is not."""
    marked = [name for name in table.names if MARK in name]
    if marked and len(marked) < len(table.names):
        other = next(name for name in table.names if MARK not in name)
        raise UsageError(
            f"{other!r} would not be read as a feature beside {marked[0]!r}. Name all with {MARK}."
        )
    wrong = [name for name in table.covariates if MARK in name]
    wrong += [name for name in (*table.covariates, *table.names) if name.casefold() in KEY_OF]
    if wrong:
        raise UsageError(f"{wrong[0]!r} would be read as another kind of column. Name it otherwise.")


def _write_text(path: Path, table: FeatureTable, delimiter: str) -> None:
    words: list[Sequence[str]] = [*table.keys.values(), *table.covariates.values()]
    with path.open("w", encoding="utf-8", newline="") as file:
        has_returns = any("\r" in cell for column in words for cell in column)  # which csv leaves unquoted
        writer = csv.writer(
            file,
            delimiter=delimiter,
            lineterminator="\n",
            quoting=csv.QUOTE_NONNUMERIC if has_returns else csv.QUOTE_MINIMAL,
        )
        writer.writerow([*table.keys, *table.covariates, *table.names])
        for n, numbers in enumerate(table.values.tolist()):
            writer.writerow([*(column[n] for column in words), *numbers])


def _write_parquet(path: Path, table: FeatureTable, named: Path) -> None:
    arrow = pyarrow(named)
    words = {name: arrow.array(cells, arrow.string()) for name, cells in table.keys.items()}
    words |= {name: arrow.array(cells, arrow.string()) for name, cells in table.covariates.items()}
    numbers = {name: arrow.array(table.values[:, n]) for n, name in enumerate(table.names)}
    made = {METADATA: json.dumps(dict(table.attributes), allow_nan=False).encode()}
    whole = arrow.table({**words, **numbers}).replace_schema_metadata(made)
    arrow.parquet.write_table(whole, path, row_group_size=ROW_GROUP)
