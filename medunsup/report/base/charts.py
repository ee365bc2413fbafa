"""Charts as plain numbers: paths and ticks for small drawings that the template fills in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import Label
from medunsup.report.base.numbers import significant
from medunsup.tissue.base import Component
from medunsup.tissue.result import Fit

WIDTH, HEIGHT = 560.0, 240.0
NEUTRAL = "#8A8F98"
CURVE_POINTS = 240

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One line: its name, colour and SVG path; `end` is its last point."""

    name: str
    colour: str
    path: str
    end: tuple[float, float]
    peak: tuple[float, float]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in the drawing and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A drawing of WIDTH by HEIGHT; `area` is a shape behind the curves or empty, `mark` a place or None."""

    curves: tuple[Curve, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    area: str
    description: str
    mark: float | None = None
    width: float = WIDTH
    height: float = HEIGHT


def histogram(fit: Fit, table: Sequence[Label]) -> Chart | None:
    """Draw the brain's intensities with the fitted Gaussians over them; None without a histogram."""
    counts, edges = np.array(fit.histogram_counts, float), np.array(fit.histogram_edges, float)
    if counts.size == 0 or counts.sum() == 0:
        return None
    density = counts / (counts.sum() * np.diff(edges))
    x = np.linspace(edges[0], edges[-1], CURVE_POINTS)
    parts = _densities(fit.components, x)
    total = np.sum([y for _, y in parts], axis=0) if parts else np.zeros_like(x)
    top = 1.08 * max(float(density.max()), float(total.max()))
    frame = _Frame((float(edges[0]), float(edges[-1])), (0.0, top))
    colours = {label.abbreviation: label.hex for label in table}
    curves = [frame.curve(name, colours.get(name, NEUTRAL), x, y) for name, y in parts]
    if len(parts) > 1:
        curves.append(frame.curve("sum", "", x, total))
    what = f"with {len(parts)} fitted Gaussians" if parts else "without a fitted mixture"
    return Chart(
        tuple(curves), frame.x_ticks(), (), frame.steps(edges, density), f"Histogram of the brain, {what}."
    )


def line(
    values: Sequence[float], name: str, x: Sequence[float] | None = None, mark: float | None = None
) -> Chart | None:
    """Draw one value an iteration (or at each `x`); None unless there are two or more finite values.

    `mark` is the place on the x-axis that was chosen, if one was.
    """
    y = np.array(values, float)
    places = np.arange(1, y.size + 1, dtype=float) if x is None else np.array(x, float)
    if y.size < 2 or not np.isfinite(y).all():
        return None
    low, high = float(y.min()), float(y.max())
    pad = 0.08 * (high - low) or 0.5
    frame = _Frame((float(places[0]), float(places[-1])), (low - pad, high + pad))
    described = f"{name[:1].upper()}{name[1:]} from {significant(y[0], 4)} to {significant(y[-1], 4)}."
    return Chart(
        (frame.curve(name, "", places, y),),
        frame.x_ticks(whole=True),
        frame.y_ticks(),
        "",
        described,
        mark=None if mark is None else round(float(frame.across(np.array(mark, float))), 1),
    )


def _densities(components: Sequence[Component], x: Values) -> list[tuple[str, Values]]:
    """Weighted Gaussians over the first contrast."""
    return [
        (item.label, item.weight * _gaussian(x, item.mean[0], item.sd[0]))
        for item in components
        if item.sd and item.sd[0] > 0 and item.weight > 0
    ]


def _gaussian(x: Values, mean: float, sd: float) -> Values:
    return np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))


class _Frame:
    """Maps values to places in the drawing, y upwards."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x, self.y = x, y

    def across(self, values: Values) -> Values:
        return (values - self.x[0]) / ((self.x[1] - self.x[0]) or 1) * WIDTH

    def down(self, values: Values) -> Values:
        return HEIGHT - (values - self.y[0]) / ((self.y[1] - self.y[0]) or 1) * HEIGHT

    def curve(self, name: str, colour: str, x: Values, y: Values) -> Curve:
        points = np.stack([self.across(x), self.down(y)], axis=1)
        high = points[int(np.argmin(points[:, 1]))]
        return Curve(name, colour, "M" + _joined(points), pair(points[-1]), pair(high))

    def steps(self, edges: Values, heights: Values) -> str:
        x = self.across(edges).repeat(2)[1:-1]
        y = self.down(heights).repeat(2)
        return f"M0 {HEIGHT:g}L{_joined(np.stack([x, y], axis=1))}L{WIDTH:g} {HEIGHT:g}Z"

    def x_ticks(self, whole: bool = False) -> tuple[Tick, ...]:
        values = round_values(*self.x, whole=whole)
        return tuple(
            Tick(place, significant(value, 6))
            for place, value in zip(self.across(values).round(1), values, strict=True)
        )

    def y_ticks(self) -> tuple[Tick, ...]:
        values = round_values(*self.y)
        return tuple(
            Tick(place, significant(value, 6))
            for place, value in zip(self.down(values).round(1), values, strict=True)
        )


def round_values(low: float, high: float, *, whole: bool = False) -> Values:
    """List three to seven round numbers between `low` and `high`."""
    rough = max((high - low) / 5, 1e-12)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    step = max(1.0, round(step)) if whole else step
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step + 0.0


def _joined(points: Values) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def pair(point: Values) -> tuple[float, float]:
    """Round a point (x, y) to a tenth of a unit of the drawing."""
    return round(float(point[0]), 1), round(float(point[1]), 1)
