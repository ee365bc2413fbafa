"""Rows of a stream in a temporary file, as an array: columns are put together to rows once, not each time."""

import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOM = 4  # times the size of the copy that must be free, so that no disk, or memory disk, is filled

log = logging.getLogger(__name__)


class RowCopy:
    """Rows (n, D) on disk, added batch by batch; the file is gone when this object is, or its process."""

    def __init__(self, n_features: int, dtype: np.dtype[Any]) -> None:
        self.n_features, self.dtype, self.n = n_features, dtype, 0
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  closed with this object

    def __del__(self) -> None:
        """Give the disk its room back."""
        if hasattr(self, "_file"):
            self._file.close()

    def add(self, rows: NDArray[np.floating]) -> None:
        """Append rows (n, D). Raises OSError if there is no room."""
        data = memoryview(np.ascontiguousarray(rows, self.dtype).data).cast("B")
        while data:
            data = data[self._file.write(data) :]
        self.n += len(rows)

    def batches(self, rows: int, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Yield some columns (n, d) of so many rows at a time, float64."""
        is_whole = list(columns) == list(range(self.n_features))
        for start in range(0, self.n, rows):
            count = min(rows, self.n - start)
            self._file.seek(start * self.n_features * self.dtype.itemsize)
            part = np.fromfile(self._file, self.dtype, count * self.n_features).reshape(count, -1)
            yield np.asarray(part if is_whole else part[:, list(columns)], np.float64)


def room_for(n_rows: int, n_features: int, dtype: np.dtype[Any]) -> RowCopy | None:
    """Make a copy to be filled, in the folder for temporary files; None if it has too little room."""
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if free >= ROOM * n_rows * n_features * dtype.itemsize:
            return RowCopy(n_features, dtype)
    except OSError as error:
        log.debug("no copy of the rows: %s", error)
    return None
