"""Drawings of a probe: figures along the share of the labels, and where test features lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.probed import Features, Kind, ProbeResult
from medunsup.report.base.charts import HEIGHT, WIDTH, Tick, round_values
from medunsup.report.base.numbers import significant
from medunsup.report.probe.words import NAMES, share, spread

ORDER: tuple[Features, ...] = ("encoder", "random", "pca")
EDGE = 40.0  # left and right of the outermost shares
SHIFT = 7.0  # between the features at one share, so that bars do not cover one another
SIDE = 320.0
MOST_POINTS = 600
# Okabe & Ito: told apart without red or green cones.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#8A8F98")


@dataclass(frozen=True)
class Bar:
    """One figure: its place, and the ends of a standard deviation over draws."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Efficiency:
    """Curves of one probe: a path and bars for each kind of features."""

    curves: tuple[tuple[Features, str, tuple[Bar, ...]], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    description: str
    width: float = WIDTH
    height: float = HEIGHT


def efficiency(result: ProbeResult, probe: Kind) -> Efficiency:
    """Draw mean AUC over the share of the labels, with the standard deviation over draws."""
    found = {name: result.figures_of(name, probe) for name in ORDER}
    means = {name: np.array([one.mean_auc for one in each]) for name, each in found.items()}
    errors = {
        name: np.array([np.std(one.auc, ddof=1) if len(one.auc) > 1 else 0.0 for one in each])
        for name, each in found.items()
    }
    low = min(float((means[name] - errors[name]).min()) for name in ORDER)
    high = max(float((means[name] + errors[name]).max()) for name in ORDER)
    pad = 0.08 * (high - low) or 0.02
    low, high = low - pad, high + pad

    def down(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return HEIGHT * (1 - (values - low) / (high - low))

    places = _places(len(result.verdicts))
    curves = []
    for n, name in enumerate(ORDER):
        x, y = places + (n - 1) * SHIFT, down(means[name])
        ends = zip(x, y, down(means[name] - errors[name]), down(means[name] + errors[name]), strict=True)
        bars = tuple(Bar(*(round(float(each), 1) for each in one)) for one in ends)
        path = "M" + "L".join(f"{bar.x} {bar.y}" for bar in bars)
        curves.append((name, path, bars))
    described = "; ".join(
        f"{NAMES[name]} {', '.join(f'{spread(one.auc)} with {share(one.fraction)}' for one in found[name])}"
        for name in ORDER
    )
    ticks = [f"{share(one.fraction)} ({one.n_labels})" for one in result.verdicts]
    return Efficiency(
        tuple(curves),
        tuple(Tick(round(float(place), 1), text) for place, text in zip(places, ticks, strict=True)),
        tuple(Tick(round(float(down(v)), 1), significant(float(v), 3)) for v in round_values(low, high)),
        f"AUC: {described}.",
    )


@dataclass(frozen=True)
class Scatter:
    """Points of one class after another: name, colour, places."""

    classes: tuple[tuple[str, str, tuple[tuple[float, float], ...]], ...]
    n_shown: int
    side: float = SIDE


def scatter(result: ProbeResult) -> Scatter | None:
    """Draw the encoder's test features on their first two principal components; None without them."""
    points, of = result.picture, result.test_classes
    if not len(points):
        return None
    kept = np.linspace(0, len(points) - 1, min(len(points), MOST_POINTS)).astype(int)
    points, of = points[kept], of[kept]
    low, high = points.min(axis=0), points.max(axis=0)
    places = (points - low) / np.where(high > low, high - low, 1.0) * SIDE
    classes = tuple(
        (name, COLOURS[n % len(COLOURS)], _rounded(places[of == n])) for n, name in enumerate(result.classes)
    )
    return Scatter(classes, len(points))


def _rounded(places: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in places)


def _places(n: int) -> NDArray[np.float64]:
    return np.array([WIDTH / 2]) if n == 1 else np.linspace(EDGE, WIDTH - EDGE, n)
