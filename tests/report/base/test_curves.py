"""Curves over one axis: gaps stay gaps, higher is higher, and nothing is drawn of nothing."""

import re

import numpy as np

from medunsup.report.base.charts import HEIGHT, WIDTH
from medunsup.report.base.curves import curves


def points(path: str) -> np.ndarray:
    return np.array([pair.split() for pair in re.split("[ML]", path)[1:]], float)


def test_values_lie_where_the_axes_say():
    made = curves({"a": [1.0, 3.0, 2.0]}, [0, 1, 2], {"a": "own"})
    x, y = points(made.curves[0].path).T
    assert list(x) == [0, WIDTH / 2, WIDTH]
    assert y[1] < y[2] < y[0]
    ticks = {float(tick.text): tick.place for tick in made.y_ticks}
    assert abs(ticks[1] - y[0]) < 0.2
    assert abs(ticks[3] - y[1]) < 0.2
    assert made.description == "A: from 1 to 2."


def test_what_is_not_known_leaves_a_gap():
    made = curves({"a": [None, 1.0, 2.0, float("nan"), 3.0, float("inf")]}, range(6), {"a": "own"})
    assert re.sub(r"[\d. ]", "", made.curves[0].path) == "MLM"
    assert made.curves[0].end == tuple(points(made.curves[0].path)[-1])


def test_fewer_than_two_values_are_not_drawn():
    assert curves({"a": [None, 1.0]}, [0, 1], {"a": "own"}) is None
    both = curves({"a": [None, 1.0], "b": [1.0, 1.0]}, [0, 1], {"a": "own", "b": "second"})
    assert [one.name for one in both.curves] == ["b"]


def test_the_axis_reaches_the_ends_and_the_mark_is_at_its_place():
    made = curves({"a": [0.4, 0.5]}, [0, 4], {"a": "own"}, ends=(0, 1), mark=1)
    assert {"0", "1"} <= {tick.text for tick in made.y_ticks}
    assert made.mark == WIDTH / 4
    assert all(0 <= tick.place <= HEIGHT for tick in made.y_ticks)
