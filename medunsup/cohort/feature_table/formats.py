"""The three kinds of files of a table: their columns as numbers or words, whatever the kind."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.health import is_nothing
from medunsup.cohort.feature_table.table import FORBIDDEN
from medunsup.core.errors import DependencyError, InputError, MissingError, UsageError
from medunsup.core.extras import install
from medunsup.io.files.fetched import check_fetched

DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = ".parquet"
ENDINGS = (PARQUET, *DELIMITERS)
SCANS = (".nii", ".nii.gz", ".mgz", ".mgh", ".dcm", ".npz")
PANDAS_INDEX = "__index_level_"
METADATA = b"medunsup"
BIGGEST_CELL = 1 << 24

Numbers = NDArray[np.float64]


class Columns(Protocol):
    """The columns of a file, read one at a time."""

    @property
    def names(self) -> list[str]:
        """Their names, in the order of the file."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What the file itself says of how it was made."""

    def words(self, name: str) -> list[str]:
        """Each cell of a column as it is written; "" if it is empty."""

    def numbers(self, name: str) -> Numbers:
        """Each cell of a column as a number, NaN if it is empty. Raises ValueError for a column of words."""


def open_columns(path: Path) -> Columns:
    """Open a table by the ending of its name.

    Raises UsageError for another ending, MissingError or InputError for a file that cannot be read,
    DependencyError for Parquet without pyarrow.
    """
    if path.is_dir() or path.name.lower().endswith(SCANS):
        raise UsageError(f"{path}: is no table of features. Make one of scans or images by `medunsup embed`.")
    check_ending(path)
    check_fetched(path)
    if not path.is_file():
        raise MissingError(f"{path}: there is no such file. Check the path.")
    return _Parquet(path) if path.suffix.lower() == PARQUET else _Text(path)


def check_ending(path: Path) -> None:
    """Raise UsageError for a name that does not say what kind of table it is."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path}: is no table of features. Name it with one of {', '.join(ENDINGS)}.")


def pyarrow(path: Path) -> Any:
    """Import pyarrow. Raises DependencyError with what to type if it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DependencyError(
            f"{path}: Parquet needs pyarrow: {install('tables')}. Or name the table .csv."
        ) from error
    return pyarrow


class _Parquet:
    def __init__(self, path: Path) -> None:
        arrow = pyarrow(path)
        try:
            table = arrow.parquet.read_table(path)
        except (arrow.ArrowException, OSError) as error:
            raise InputError(f"{path}: is no Parquet file, or damaged. Write it again.") from error
        self._table = table.rename_columns([name.strip() for name in table.column_names])
        self._types, self._path = arrow.types, path
        self.names = [name for name in self._table.column_names if not name.startswith(PANDAS_INDEX)]
        _check_header(self.names, path)
        self.attributes = json.loads((self._table.schema.metadata or {}).get(METADATA, b"{}"))

    def words(self, name: str) -> list[str]:
        return ["" if cell is None else str(cell) for cell in self._table.column(name).to_pylist()]

    def numbers(self, name: str) -> Numbers:
        column, is_ = self._table.column(name), self._types
        if is_.is_nested(column.type):
            raise InputError(f"{self._path}: {name!r} holds lists. Give each number a column of its own.")
        if is_.is_integer(column.type) or is_.is_floating(column.type):
            return np.asarray(column.to_numpy(), dtype=np.float64)
        return np.array([_number(cell) for cell in self.words(name)], dtype=np.float64)


class _Text:
    def __init__(self, path: Path) -> None:
        rows = list(_rows(path))
        self.names = [name.strip() for name in rows[0]] if rows else []
        _check_header(self.names, path)
        _check_parted(rows, path)
        for number, row in enumerate(rows[1:], start=1):
            if len(row) != len(self.names):
                raise UsageError(
                    f"{path}: row {number} has {len(row)} cells, but there are {len(self.names)} columns. "
                    "Correct that row, or save the table again."
                )
        self._cells = dict(zip(self.names, zip(*rows[1:], strict=True), strict=False)) if rows[1:] else {}
        self.attributes: Mapping[str, Any] = {}

    def words(self, name: str) -> list[str]:
        return list(self._cells.get(name, ()))

    def numbers(self, name: str) -> Numbers:
        return np.array([_number(cell) for cell in self._cells.get(name, ())], dtype=np.float64)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        if is_nothing(cell):
            return float("nan")
        raise ValueError(cell) from None


def _rows(path: Path) -> Iterator[list[str]]:
    """Read the rows of a table of text; blank ones are left out."""
    csv.field_size_limit(BIGGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file, delimiter=DELIMITERS[path.suffix.lower()], strict=True):
                if row:
                    yield row
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no table of text in UTF-8. Save it so.") from error
    except csv.Error as error:
        raise InputError(f"{path}: cannot be read as a table ({error}). Save it again.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def _check_parted(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Raise UsageError for a table whose cells another mark parts than its ending says."""
    first = ["".join(row) for row in rows[:2]]
    if len(rows[0]) == 1 and any(all(mark in text for text in first) for mark in ",;\t"):
        kind = "commas" if path.suffix.lower() == ".csv" else "tabs"
        raise UsageError(f"{path}: its columns ({rows[0][0][:60]!r}) are not parted by {kind}. Save it so.")


def _check_header(names: Sequence[str], path: Path) -> None:
    if not names or not any(names):
        raise InputError(f"{path}: is empty. It wants a first row with the names of the columns.")
    unnamed = [n for n, name in enumerate(names, start=1) if not name]
    if unnamed:
        raise UsageError(
            f"{path}: column {unnamed[0]} has no name. Name it, or leave it out (pandas: index=False)."
        )
    twice = [name for name in names if names.count(name) > 1] if len(set(names)) < len(names) else []
    if twice:
        raise UsageError(f"{path}: has the column {twice[0]!r} twice. Leave one of them out.")
    strange = [name for name in names if FORBIDDEN.search(name)]
    if strange:
        raise InputError(f"{path}: column {strange[0]!r} holds what cannot be printed. Name it otherwise.")
