"""Curves of a figure along the share of the labels, with bars, ticks and a legend, as plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.charts import HEIGHT, WIDTH, Tick, round_values
from medunsup.report.base.numbers import significant

EDGE = 40.0  # left and right of the outermost shares
SHIFT = 7.0  # between the figures at one share, so that bars do not cover one another
KINDS = ("first", "second", "third")  # how lines are drawn: solid, dashed, dotted


@dataclass(frozen=True)
class Series:
    """A figure at each share, with the ends of its bar; `name` is its line of the legend."""

    name: str
    values: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Bar:
    """One figure: its place, and those of the ends of its bar."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """A curve: how it is drawn, its name, its path and bars."""

    kind: str
    name: str
    path: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Efficiency:
    """Curves in a drawing of `width` by `height`; `zero` is the place of 0, where it is marked."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    description: str
    zero: float | None = None
    width: float = WIDTH
    height: float = HEIGHT


def efficiency(
    series: Sequence[Series], shares: Sequence[str], description: str, *, zero: bool = False
) -> Efficiency:
    """Draw at most three figures along shares, which stand side by side; with `zero` a line marks 0.

    A bar whose ends are not known is left out.
    """
    tables = [np.array([one.values, one.low, one.high], dtype=np.float64) for one in series]
    known = np.concatenate([table[np.isfinite(table)] for table in tables])
    ends = [*known, 0.0] if zero else [*known]
    low, high = float(min(ends)), float(max(ends))
    pad = 0.08 * (high - low) or 0.02
    low, high = low - pad, high + pad

    def down(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return HEIGHT * (1 - (values - low) / (high - low))

    places = _places(len(shares))
    lines = []
    for n, (one, table) in enumerate(zip(series, tables, strict=True)):
        whole = np.where(np.isfinite(table), table, table[0])
        x = places + (n - (len(series) - 1) / 2) * SHIFT
        columns = zip(x, *down(whole), strict=True)
        bars = tuple(Bar(*(round(float(each), 1) for each in column)) for column in columns)
        path = "M" + "L".join(f"{bar.x} {bar.y}" for bar in bars)
        lines.append(Line(KINDS[n], one.name, path, bars))
    return Efficiency(
        tuple(lines),
        tuple(Tick(round(float(place), 1), text) for place, text in zip(places, shares, strict=True)),
        tuple(Tick(round(float(down(v)), 1), significant(float(v), 3)) for v in round_values(low, high)),
        description,
        zero=round(float(down(np.array(0.0))), 1) if zero else None,
    )


def _places(n: int) -> NDArray[np.float64]:
    return np.array([WIDTH / 2]) if n == 1 else np.linspace(EDGE, WIDTH - EDGE, n)
