"""Rows that come in batches, for tables larger than memory: checked, summed up, and a sample of them kept."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError

SAMPLE = 20_000  # rows that stand for all where rows must be kept
MOST_FEATURES = 4_096  # a covariance of more takes over 128 MB

Floats = NDArray[np.float64]
Batches = Callable[[], Iterable[ArrayLike]]  # each call starts again at the first row


def checked_batches(batches: Batches, n_features: int | None = None) -> Iterator[Floats]:
    """Yield batches as float64 (n, D), all of one D. Raises ArrayError for a batch that is not.

    Values are looked at where `n_features` is not given: in the first reading.
    """
    row, is_first = 0, n_features is None
    for batch in batches():
        rows = np.asarray(batch, dtype=np.float64)
        if rows.ndim != 2 or (n_features is not None and rows.shape[1] != n_features):
            wanted = "D" if n_features is None else n_features
            raise ArrayError(f"A batch is of rows (n, {wanted}), not of the shape {rows.shape}.")
        n_features = rows.shape[1]
        if is_first and not np.isfinite(rows.sum()) and not np.isfinite(rows).all():  # a sum is faster
            n, d = np.argwhere(~np.isfinite(rows))[0]
            raise ArrayError(f"Row {row + n} has NaN or inf in feature {d}. Fill it, or leave the row out.")
        row += len(rows)
        yield rows


class Moments:
    """Mean and covariance of all rows, summed up batch by batch about the mean of the first batch."""

    def __init__(self) -> None:
        self.n = 0

    def add(self, rows: Floats) -> None:
        """Take a batch (n, D) in. Raises ArrayError for too many features."""
        if not self.n:
            if rows.shape[1] > MOST_FEATURES:
                raise ArrayError(
                    f"{rows.shape[1]} features: a stream takes {MOST_FEATURES} at most, as it keeps a number "
                    "for each pair of them. Reduce them first, or take rows that fit in memory."
                )
            self._about = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1])
            self._sum, self._products = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
            self._low, self._high = np.full(rows.shape[1], np.inf), np.full(rows.shape[1], -np.inf)
        if not len(rows):
            return
        self.n += len(rows)
        np.minimum(self._low, rows.min(axis=0), out=self._low)
        np.maximum(self._high, rows.max(axis=0), out=self._high)
        rows = rows - self._about
        self._sum += rows.sum(axis=0)
        self._products += rows.T @ rows

    @property
    def mean(self) -> Floats:
        """Mean of each feature (D,)."""
        return self._about + self._sum / self.n

    @property
    def covariance(self) -> Floats:
        """Covariance (D, D) of the rows, divided by their number."""
        offset = self._sum / self.n
        return self._products / self.n - np.outer(offset, offset)

    @property
    def is_constant(self) -> NDArray[np.bool_]:
        """Which features (D,) are the same in all rows."""
        return self._low == self._high


class RowSample:
    """Rows drawn evenly from all that come, however many there will be; the same whatever the batches."""

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._generator = size, np.random.default_rng(seed)
        self._seen, self._held, self._bound = 0, 0, np.inf
        self._parts: list[tuple[Floats, NDArray[np.intp], Floats]] = []

    def add(self, rows: Floats) -> None:
        """Give each row of a batch (n, D) a lot; the rows with the smallest lots are those drawn."""
        lots = self._generator.random(len(rows))
        is_in = lots < self._bound
        numbers = self._seen + np.flatnonzero(is_in)
        self._seen += len(rows)
        self._held += len(numbers)
        self._parts.append((lots[is_in], numbers, rows[is_in]))
        if self._held > 2 * self._size:
            self._leave_out()

    def drawn(self) -> tuple[NDArray[np.intp], Floats]:
        """Return the numbers (S,) of the rows drawn, ascending, and the rows (S, D)."""
        if not self._seen:
            raise ArrayError("The stream holds no row.")
        self._leave_out()
        _, numbers, rows = self._parts[0]
        return numbers, rows

    def _leave_out(self) -> None:
        """Leave out rows whose lots are no longer among the smallest."""
        lots, numbers, rows = (np.concatenate(one) for one in zip(*self._parts, strict=True))
        if len(lots) > self._size:
            kept = np.sort(np.argpartition(lots, self._size)[: self._size])
            lots, numbers, rows = lots[kept], numbers[kept], rows[kept]
            self._bound = float(lots.max())
        self._parts, self._held = [(lots, numbers, rows)], len(lots)
