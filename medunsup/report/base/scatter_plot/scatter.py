"""A map as dots: one a row, larger where several rows lie at one place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.charts import Tick, round_values
from medunsup.report.base.numbers import significant

WIDTH, HEIGHT = 640.0, 480.0
RADIUS, LARGEST = 3.2, 12.0
NEW = 2.0  # times as large are new rows on a grey map
MOST_DOTS = 3000
FILLED = 0.96  # of the drawing, so that no dot lies on its edge

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dot:
    """One row: its place in the drawing, radius, colour, and the words that a pointer shows."""

    x: float
    y: float
    radius: float
    colour: str
    label: str


@dataclass(frozen=True)
class Scatter:
    """A drawing of WIDTH by HEIGHT: grey places of fitted rows, dots, ticks, names of the axes."""

    dots: tuple[Dot, ...]
    background: tuple[tuple[float, float], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    axes: tuple[str, str]
    n_rows: int
    width: float = WIDTH
    height: float = HEIGHT


def scatter(
    places: Floats,
    colours: Sequence[str],
    label: Callable[[int], str],
    axes: tuple[str, str],
    *,
    background: Floats | None = None,
) -> Scatter:
    """Draw the first two axes of a map; both have one scale, so that distances are those of the map."""
    points = _two(places)
    behind = np.zeros((0, 2)) if background is None else _two(background)
    size = RADIUS * (NEW if len(behind) else 1)
    every = np.concatenate([points, behind])
    low, high = every.min(axis=0), every.max(axis=0)
    unit = FILLED / max((high - low)[0] / WIDTH, (high - low)[1] / HEIGHT, 1e-12)
    middle = (low + high) / 2

    def at(values: Floats) -> Floats:
        return np.array([WIDTH, HEIGHT]) / 2 + (values - middle) * unit * [1, -1]

    _, of, counts = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    kept = _kept(len(points))
    dots = tuple(
        Dot(x, y, radius, colours[n], label(n))
        for n, (x, y), radius in zip(
            kept.tolist(),
            at(points)[kept].round(1).tolist(),
            np.minimum(size * np.sqrt(counts[of.reshape(-1)][kept]), LARGEST).round(1).tolist(),
            strict=True,
        )
    )
    ends = middle - np.array([WIDTH, HEIGHT]) / 2 / unit, middle + np.array([WIDTH, HEIGHT]) / 2 / unit
    ticks = [_ticks(ends[0][n], ends[1][n], at, n) for n in (0, 1)]
    grey = at(behind)[_kept(len(behind))].round(1).tolist()
    return Scatter(dots, tuple((x, y) for x, y in grey), ticks[0], ticks[1], axes, len(points))


def _two(places: Floats) -> Floats:
    """Return the first two axes; a second one of zeros where there is but one."""
    return np.column_stack([places, np.zeros(len(places))])[:, :2]


def _kept(n: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, n - 1, min(n, MOST_DOTS)).astype(np.intp))


def _ticks(low: float, high: float, at: Callable[[Floats], Floats], axis: int) -> tuple[Tick, ...]:
    values = round_values(float(low), float(high))
    places = at(np.column_stack([values, values]))[:, axis].round(1)
    return tuple(Tick(float(x), significant(float(v), 4)) for x, v in zip(places, values, strict=True))
