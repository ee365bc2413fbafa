"""Distribution strips: one dot a scan along a line, dots at the same place stacked."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.charts import Tick, round_values
from medunsup.report.base.numbers import significant

WIDTH = 900.0
HEIGHT = 84.0
COLUMNS = 120
DOT = 6.5
FLOOR = 60.0


@dataclass(frozen=True)
class Dot:
    """One scan in a strip: its row in the table, place, and whether it stands out here."""

    row: int
    x: float
    y: float
    is_outlier: bool
    text: str


@dataclass(frozen=True)
class Strip:
    """The distribution of one measure over the group; `median` is a place."""

    title: str
    colour: str
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    median: float
    description: str


def strip(
    title: str,
    colour: str,
    names: list[str],
    values: NDArray[np.float64],
    outliers: set[int],
    unit: str,
    *,
    ends: tuple[float, float] | None = None,
) -> Strip | None:
    """Place all scans of the table on one line, over `ends` if given; None if no value is known."""
    known = [int(row) for row in np.flatnonzero(np.isfinite(values))]
    if not known:
        return None
    low, high = float(values[known].min()), float(values[known].max())
    pad = 0.04 * (high - low) or max(0.5, abs(low) * 0.1)
    scale = _Scale(*(ends or (low - pad, high + pad)))
    stacked: Counter[int] = Counter()
    dots = []
    tallest = max(Counter(scale.column(values[row]) for row in known).values())
    rise = min(DOT, (FLOOR - DOT) / tallest)
    for row in known:
        column = scale.column(values[row])
        x, y = (column + 0.5) * WIDTH / COLUMNS, FLOOR - DOT / 2 - stacked[column] * rise
        stacked[column] += 1
        text = f"{names[row]}: {significant(values[row], 4)} {unit}"
        dots.append(Dot(row, round(x, 1), round(y, 1), row in outliers, text))
    middle = float(np.median(values[known]))
    ticks = tuple(
        Tick(round(scale.place(value), 1), significant(value, 6)) for value in round_values(*scale.ends)
    )
    median, least, most = (significant(value, 3) for value in (middle, low, high))
    described = f"{title}: median {median} {unit}, from {least} to {most} over {len(known)} scans."
    return Strip(title, colour, tuple(dots), ticks, round(scale.place(middle), 1), described)


class _Scale:
    """Maps a value to its place on the line and to its column of dots."""

    def __init__(self, low: float, high: float) -> None:
        self.ends = (low, high)

    def place(self, value: float) -> float:
        low, high = self.ends
        return (value - low) / (high - low) * WIDTH

    def column(self, value: float) -> int:
        return min(COLUMNS - 1, int(self.place(value) / WIDTH * COLUMNS))
