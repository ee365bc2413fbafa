"""Drawings of a probe: figures along the share of the labels, and where test features lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.probed import Features, Kind, ProbeResult
from medunsup.report.base.efficiency import Efficiency, Series, efficiency
from medunsup.report.probe.words import NAMES, share, spread

ORDER: tuple[Features, ...] = ("encoder", "random", "pca")
SIDE = 320.0
MOST_POINTS = 600
# Okabe & Ito: told apart without red or green cones.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#8A8F98")


def curves(result: ProbeResult, probe: Kind) -> Efficiency:
    """Draw mean AUC over the share of the labels, with the standard deviation over draws."""
    found = {name: result.figures_of(name, probe) for name in ORDER}
    series = []
    for name, each in found.items():
        means = np.array([one.mean_auc for one in each])
        errors = np.array([np.std(one.auc, ddof=1) if len(one.auc) > 1 else 0.0 for one in each])
        series.append(
            Series(NAMES[name], means.tolist(), (means - errors).tolist(), (means + errors).tolist())
        )
    described = "; ".join(
        f"{NAMES[name]} {', '.join(f'{spread(one.auc)} with {share(one.fraction)}' for one in found[name])}"
        for name in ORDER
    )
    shares = [f"{share(one.fraction)} ({one.n_labels})" for one in result.verdicts]
    return efficiency(series, shares, f"AUC: {described}.")


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
