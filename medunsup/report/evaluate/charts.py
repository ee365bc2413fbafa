"""Drawings of an evaluation: figures with intervals side by side, lesions found against false alarms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medunsup.metrics.bootstrap import Estimate
from medunsup.metrics.froc import FrocCurve
from medunsup.report.base.charts import HEIGHT, WIDTH, Chart, Curve, Tick, pair, round_values

FOREST_WIDTH, LEFT, ROW = 820.0, 200.0, 25.0
MOST_FALSE_ALARMS = 10.0
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Bar:
    """One method: its name, the places of its figure and interval, and of each case's own figure."""

    name: str
    y: float
    value: float
    low: float
    high: float
    dots: tuple[float, ...]
    text: str
    is_model: bool


@dataclass(frozen=True)
class Forest:
    """Methods below one another on one axis; `chance` is a place."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    chance: float
    height: float
    description: str
    left: float = LEFT
    width: float = FOREST_WIDTH


@dataclass(frozen=True)
class Row:
    """What one bar of a forest shows; `text` is written beside it."""

    name: str
    estimate: Estimate
    of_cases: Sequence[float]
    text: str
    is_model: bool


def forest(rows: Sequence[Row], chance: float) -> Forest | None:
    """Draw figures in [0, 1] with their intervals, one row each, in the order given; None without rows."""
    if not rows:
        return None
    bars = []
    for n, row in enumerate(rows):
        low, high = (
            end if np.isfinite(end) else row.estimate.value for end in (row.estimate.low, row.estimate.high)
        )
        value, low, high = (_across(end) for end in (row.estimate.value, low, high))
        dots = tuple(_across(each) for each in row.of_cases if np.isfinite(each))
        bars.append(Bar(row.name, (n + 0.5) * ROW, value, low, high, dots, row.text, row.is_model))
    described = "; ".join(f"{row.name} {row.text}" for row in rows)
    ticks = tuple(Tick(_across(share), f"{share:g}") for share in QUARTERS)
    return Forest(tuple(bars), ticks, _across(chance), ROW * len(rows), f"Average precision: {described}.")


def froc_chart(curves: Sequence[tuple[str, FrocCurve]]) -> Chart | None:
    """Draw the share of lesions found against false alarms a scan, up to ten; None without lesions."""
    known = [(name, curve) for name, curve in curves if curve.n_lesions]
    if not known:
        return None
    drawn = tuple(_curve(name, curve) for name, curve in known)
    x_ticks = tuple(
        Tick(value / MOST_FALSE_ALARMS * WIDTH, f"{value:g}") for value in round_values(0, MOST_FALSE_ALARMS)
    )
    y_ticks = tuple(Tick(HEIGHT * (1 - share), f"{share:g}") for share in QUARTERS)
    described = "; ".join(f"{name} finds {curve.sensitivity_at(1.0):.0%} at one" for name, curve in known)
    return Chart(drawn, x_ticks, y_ticks, "", f"Lesions found against false positives per scan: {described}.")


def _curve(name: str, curve: FrocCurve) -> Curve:
    """Draw the best share found at no more than so many false alarms, as steps."""
    order = np.argsort(curve.false_positives, kind="stable")
    x, y = curve.false_positives[order], np.maximum.accumulate(curve.sensitivity[order])
    inside = x <= MOST_FALSE_ALARMS
    x, y = np.append(0.0, x[inside]), np.append(0.0, y[inside])
    x, y = np.append(x.repeat(2)[1:], MOST_FALSE_ALARMS), np.append(y.repeat(2)[:-1], y[-1])
    points = np.stack([x / MOST_FALSE_ALARMS * WIDTH, (1 - y) * HEIGHT], axis=1)
    path = "M" + "L".join(f"{across:.1f} {down:.1f}" for across, down in points)
    return Curve(name, "", path, pair(points[-1]), pair(points[-1]))


def _across(share: float) -> float:
    return round(LEFT + float(np.clip(share, 0, 1)) * (FOREST_WIDTH - LEFT), 1)
