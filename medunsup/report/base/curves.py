"""Several curves over one axis, as plain numbers that a template draws; what is not known leaves a gap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.charts import HEIGHT, WIDTH, Tick, round_values
from medunsup.report.base.numbers import significant

Known = Sequence[float | None]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """One curve: its name in the legend, its style (a class of the page's CSS), its path and last point."""

    name: str
    style: str
    path: str
    end: tuple[float, float]


@dataclass(frozen=True)
class Curves:
    """A drawing of WIDTH by HEIGHT; `mark` is a place on the x-axis or None."""

    curves: tuple[Drawn, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    description: str
    mark: float | None = None
    width: float = WIDTH
    height: float = HEIGHT


def curves(
    series: Mapping[str, Known],
    x: Sequence[float],
    styles: Mapping[str, str],
    *,
    ends: tuple[float, float] | None = None,
    mark: float | None = None,
) -> Curves | None:
    """Draw values by name over `x`; None if no name has two finite values.

    `ends` are values that the y-axis reaches at least, `mark` a place on the x-axis that was chosen.
    """
    known = {name: _finite(values) for name, values in series.items()}
    known = {name: y for name, y in known.items() if np.isfinite(y).sum() > 1}
    if not known:
        return None
    every = np.concatenate([*known.values(), np.array(ends or (), float)])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    low, high = low - pad, high + pad
    places = np.array(x, float)
    across = (places - places[0]) / ((places[-1] - places[0]) or 1) * WIDTH

    def down(values: Values) -> Values:
        return HEIGHT * (1 - (values - low) / (high - low))

    marked = None if mark is None else round(float(np.interp(mark, places, across)), 1)
    return Curves(
        tuple(_drawn(name, styles[name], across, down(y)) for name, y in known.items()),
        _ticks(round_values(places[0], places[-1], whole=True), places, across),
        tuple(Tick(round(float(down(v)), 1), significant(float(v), 6)) for v in round_values(low, high)),
        " ".join(_described(name, y) for name, y in known.items()),
        marked,
    )


def _finite(values: Known) -> Values:
    y = np.array([np.nan if value is None else value for value in values], float)
    return np.where(np.isfinite(y), y, np.nan)


def _drawn(name: str, style: str, across: Values, down: Values) -> Drawn:
    is_known = np.isfinite(down)
    begins = is_known & ~np.concatenate([[False], is_known[:-1]])
    points = [
        f"{'M' if first else 'L'}{x:.1f} {y:.1f}"
        for x, y, known, first in zip(across, down, is_known, begins, strict=True)
        if known
    ]
    last = int(np.flatnonzero(is_known)[-1])
    return Drawn(name, style, "".join(points), (round(float(across[last]), 1), round(float(down[last]), 1)))


def _ticks(values: Values, places: Values, across: Values) -> tuple[Tick, ...]:
    at = np.interp(values, places, across).round(1)
    return tuple(Tick(float(place), significant(value, 6)) for place, value in zip(at, values, strict=True))


def _described(name: str, y: Values) -> str:
    first, last = y[np.isfinite(y)][[0, -1]]
    return f"{name[:1].upper()}{name[1:]}: from {significant(first, 3)} to {significant(last, 3)}."
