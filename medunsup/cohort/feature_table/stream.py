"""A table of features read in batches, for tables larger than memory: Parquet, or an array in a .npy file."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.feature_table.formats import METADATA, PARQUET, Numbers, pyarrow
from medunsup.cohort.feature_table.read import (
    MARK,
    Roles,
    are_words,
    attributes_beside,
    roles_of,
    without_words,
)
from medunsup.cohort.feature_table.row_copy import RowCopy, room_for
from medunsup.cohort.feature_table.table import FeatureTable, few
from medunsup.core.errors import InputError, MissingError, UsageError
from medunsup.core.hints import option
from medunsup.core.notice import tell
from medunsup.core.paths import user_path
from medunsup.io.files.fetched import check_fetched

BATCH = 8_192  # rows
BLOCK = 1_024  # rows of columns that are put together at a time: they stay in the fast memory
ARRAY = ".npy"

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FeatureStream:
    """A table on disk whose features are read in batches; made by `open_stream`.

    `table` has its keys, covariates and attributes, and no features: `names` are those that `batches` gives,
    from `copy` where there is one.
    """

    path: Path
    names: tuple[str, ...]
    table: FeatureTable
    batch_rows: int = BATCH
    copy: RowCopy | None = None
    in_copy: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.table)

    def batches(self) -> Iterator[Numbers]:
        """Yield the features (n, D) from the first row on, float64."""
        if self.copy is not None:
            return self.copy.batches(self.batch_rows, self.in_copy)
        return read_batches(self.path, self.batch_rows, self.names)

    def rows(self, chosen: NDArray[np.intp]) -> FeatureTable:
        """Return some rows, by ascending numbers, with their features."""
        found, first = [], 0
        for batch in self.batches():
            here = chosen[(chosen >= first) & (chosen < first + len(batch))] - first
            found.append(batch[here])
            first += len(batch)
        kept = self.table.rows(chosen)
        return FeatureTable(np.concatenate(found), self.names, kept.keys, kept.covariates, kept.attributes)


def open_stream(
    path: str | Path, *, covariates: Sequence[str] = (), batch_rows: int = BATCH
) -> FeatureStream:
    """Open a table larger than memory, and look through it once.

    Columns are told apart as `read_features` does; an array in a .npy file (N, D) has features alone.
    Features that are the same in all rows are left out, which is told. Rows of Parquet are put into a
    temporary file meanwhile, where there is room for it, as its columns take long to be put together to rows.

    Raises MissingError or InputError for a file that cannot be read, and for a feature that is missing or not
    finite; UsageError for another kind of table, a column of numbers and words, or if no feature is left;
    DependencyError for Parquet without pyarrow.
    """
    path = user_path(path)
    check_fetched(path)
    if not path.is_file():
        raise MissingError(f"{path}: there is no such file. Check the path.")
    roles, table = _of_array(path, covariates) if path.suffix == ARRAY else _of_parquet(path, covariates)
    low, high, first = np.inf, -np.inf, 0
    dtype = np.dtype(np.float64) if path.suffix == ARRAY else _type_of(path, roles.features)
    copy = None if path.suffix == ARRAY else room_for(len(table), len(roles.features), dtype)
    for batch in read_batches(path, batch_rows, roles.features, dtype):
        _check_whole(batch, first, roles.features, table, path)
        low, high = np.minimum(low, batch.min(axis=0)), np.maximum(high, batch.max(axis=0))
        first += len(batch)
        copy = _added(copy, batch)
    names = np.array(roles.features)
    constant = names[np.equal(low, high)].tolist()
    if len(constant) == len(names):
        raise UsageError(f"{path}: every feature is the same in all {first} rows: nothing to compare.")
    if constant:
        tell(log, "%s: left out, the same in all rows (%d): %s.", path, len(constant), few(constant))
    varies = np.flatnonzero(np.not_equal(low, high)).tolist()
    return FeatureStream(path, tuple(names[varies].tolist()), table, batch_rows, copy, tuple(varies))


def _added(copy: RowCopy | None, batch: Numbers) -> RowCopy | None:
    """Add rows to the copy; give it up if the disk is full."""
    if copy is None:
        return None
    try:
        copy.add(batch)
    except OSError:
        return None
    return copy


def read_batches(path: Path, rows: int, names: Sequence[str], dtype: Any = np.float64) -> Iterator[Any]:
    """Yield the columns named (n, D) of so many rows at a time; never more than that in memory.

    They are float64, or of another type of numbers that holds all of them.
    """
    if path.suffix == ARRAY:
        yield from _array_batches(path, rows, [int(name) - 1 for name in names])
        return
    arrow = pyarrow(path)
    with arrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16) as file:
        written = {name.strip(): name for name in file.schema_arrow.names}
        columns = [written[name] for name in names]
        for batch in file.iter_batches(rows, columns=columns, use_threads=False):
            read = [batch.column(name).to_numpy(zero_copy_only=False) for name in columns]
            found = np.empty((len(batch), len(columns)), dtype)
            for start in range(0, len(batch), BLOCK):
                for n, column in enumerate(read):
                    found[start : start + BLOCK, n] = column[start : start + BLOCK]
            yield found


def _type_of(path: Path, names: Sequence[str]) -> np.dtype[Any]:
    """Return the smallest type of numbers that holds all features of a Parquet file exactly."""
    arrow = pyarrow(path)
    with arrow.parquet.ParquetFile(path) as file:
        fields = {field.name.strip(): field.type for field in file.schema_arrow}
    small = {"halffloat", "float", "int8", "uint8", "int16", "uint16"}
    is_small = all(str(fields[name]) in small for name in names)
    return np.dtype(np.float32 if is_small else np.float64)


def _array_batches(path: Path, rows: int, columns: Sequence[int]) -> Iterator[Numbers]:
    array = _opened_array(path)
    is_whole = len(columns) == array.shape[1]
    for start in range(0, len(array), rows):
        # Opened anew, as pages of a mapped file count as memory for as long as it is mapped.
        part = _opened_array(path)[start : start + rows]
        yield np.array(part if is_whole else part[:, columns], dtype=np.float64)


def _opened_array(path: Path) -> Any:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: is no array of numbers in a .npy file, or damaged. Save it again."
        ) from error
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.size:
        raise InputError(
            f"{path}: holds {array.dtype} of the shape {array.shape}. Save numbers (N, D), a row each."
        )
    return array


def _of_array(path: Path, covariates: Sequence[str]) -> tuple[Roles, FeatureTable]:
    if covariates:
        raise UsageError(f"{path}: an array has no columns by name, so no {covariates[0]!r}. Use Parquet.")
    array = _opened_array(path)
    features = [f"{n:03d}" for n in range(1, array.shape[1] + 1)]
    return Roles({}, (), features), FeatureTable(np.zeros((len(array), 0)), ())


def _of_parquet(path: Path, covariates: Sequence[str]) -> tuple[Roles, FeatureTable]:
    if path.suffix.lower() != PARQUET:
        asked = option("stream", True)
        raise UsageError(
            f"{path}: {asked} reads {PARQUET} or {ARRAY}, not {path.suffix or 'this'}. Convert the table by "
            f"pyarrow (docs/cluster.md shows how), or leave {asked} out if it fits in memory."
        )
    arrow = pyarrow(path)
    try:
        file = arrow.parquet.ParquetFile(path)
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: is no Parquet file, or damaged. Write it again.") from error
    with file:
        schema, n_rows = file.schema_arrow, file.metadata.num_rows
        roles = roles_of([name.strip() for name in schema.names], tuple(covariates), path)
        written = {name.strip(): name for name in schema.names}
        roles = without_words(roles, _words(file, roles, written, arrow, path), list(written), path)
        if not roles.features or not n_rows:
            raise InputError(f"{path}: has no {'rows' if roles.features else 'column of features'}.")
        words = file.read(columns=[written[n] for n in (*roles.keys.values(), *roles.covariates)])
        metadata = json.loads((schema.metadata or {}).get(METADATA, b"{}"))

    def cells(name: str) -> list[str]:
        return ["" if one is None else str(one) for one in words.column(written[name]).to_pylist()]

    keys = {key: cells(name) for key, name in roles.keys.items()}
    known = {name: cells(name) for name in roles.covariates}
    about = metadata or attributes_beside(path)
    return roles, FeatureTable(np.zeros((n_rows, 0)), (), keys, known, about)


def _words(file: Any, roles: Roles, written: Mapping[str, str], arrow: Any, path: Path) -> list[str]:
    """Return columns of words among the features. Raises UsageError for one that is neither."""
    found = []
    for name in roles.features:
        kind = file.schema_arrow.field(written[name]).type
        if arrow.types.is_integer(kind) or arrow.types.is_floating(kind):
            continue
        cells = [] if arrow.types.is_nested(kind) else file.read(columns=[written[name]])[0].to_pylist()
        if MARK in name or not are_words("" if cell is None else str(cell) for cell in cells):
            raise UsageError(
                f"{path}: column {name!r} holds {kind}, so it is no feature of a stream. Save its "
                f"numbers as numbers, name it in {option('covariates', name)}, or leave it out."
            )
        found.append(name)
    return found


def _check_whole(batch: Numbers, first: int, names: Sequence[str], table: FeatureTable, path: Path) -> None:
    """Raise InputError that names row and column of a feature that is missing or not finite."""
    with np.errstate(over="ignore"):
        if np.isfinite(batch.sum()) or np.isfinite(batch).all():  # a sum is faster
            return
    n, d = np.argwhere(~np.isfinite(batch))[0]
    where = f"row {first + n + 1}" + (f" ({table.label(first + n)})" if table.keys else "")
    cell = "is empty" if np.isnan(batch[n, d]) else f"is {batch[n, d]}"
    raise InputError(
        f"{path}: {names[d]!r} of {where} {cell}. Fill it, or leave such rows out: a stream takes all rows."
    )
