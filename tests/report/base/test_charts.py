"""The charts tell the numbers they were given."""

import numpy as np
import pytest

from medunsup.core.labels import TISSUES
from medunsup.report.base.charts import HEIGHT, WIDTH, histogram, line, round_values
from medunsup.tissue.base import Component
from medunsup.tissue.result import Fit


def one_gaussian(counts: np.ndarray, edges: np.ndarray) -> Fit:
    gaussian = Component("WM", 1.0, (4.0,), (1.0,))
    return Fit("gmm", (gaussian,), (), True, tuple(counts.tolist()), tuple(edges.tolist()))


def points(path: str) -> np.ndarray:
    return np.array([[float(n) for n in pair.split()] for pair in path.strip("MZ").split("L")])


def test_a_true_mixture_lies_on_its_histogram() -> None:
    sample = np.random.default_rng(0).normal(4, 1, 400_000)
    chart = histogram(one_gaussian(*np.histogram(sample, 40, (0, 8))), TISSUES)
    assert chart is not None
    bars, curve = points(chart.area), points(chart.curves[0].path)
    edges, tops = bars[1:-1:2, 0], bars[1:-1:2, 1]
    middles = edges + WIDTH / 80
    on_curve = np.interp(middles[:-1], curve[:, 0], curve[:, 1])
    assert np.abs(on_curve - tops[:-1]).max() < 0.03 * HEIGHT


def test_a_gaussian_peaks_at_its_mean() -> None:
    chart = histogram(one_gaussian(np.ones(10), np.linspace(0, 8, 11)), TISSUES)
    assert chart is not None
    assert chart.curves[0].peak[0] == pytest.approx(WIDTH / 2, abs=3)
    assert chart.curves[0].colour == TISSUES[1].hex


def test_a_gaussian_of_half_the_weight_is_half_as_high() -> None:
    pair = tuple(Component(name, weight, (4.0,), (1.0,)) for name, weight in (("GM", 0.3), ("WM", 0.6)))
    counts, edges = np.histogram(np.random.default_rng(0).normal(4, 1, 9000), 40, (0, 8))
    chart = histogram(Fit("gmm", pair, (), True, tuple(counts.tolist()), tuple(edges.tolist())), TISSUES)
    assert chart is not None
    gm, wm, both = (HEIGHT - curve.peak[1] for curve in chart.curves)
    assert wm == pytest.approx(2 * gm, rel=0.01)
    assert both == pytest.approx(3 * gm, rel=0.01)


def test_a_rising_curve_rises_in_the_drawing() -> None:
    chart = line((-3.0, -2.0, -1.5, -1.4), "log-likelihood")
    assert chart is not None
    assert (np.diff(points(chart.curves[0].path)[:, 1]) < 0).all()  # y grows downwards


@pytest.mark.parametrize("values", [(), (1.0,), (1.0, float("nan"))])
def test_what_cannot_be_drawn_is_left_out(values: tuple[float, ...]) -> None:
    assert line(values, "log-likelihood") is None


def test_a_flat_curve_is_drawn() -> None:
    assert line((2.0, 2.0, 2.0), "log-likelihood") is not None


@pytest.mark.parametrize(("low", "high"), [(-1.4, 1.2), (0, 1), (1200, 1900), (-2.01, -1.99), (1, 250)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    ticks = round_values(low, high)
    assert 3 <= len(ticks) <= 7
    assert low <= ticks[0]
    assert ticks[-1] <= high
    assert all(len(f"{tick:.6g}") <= 6 for tick in ticks)
