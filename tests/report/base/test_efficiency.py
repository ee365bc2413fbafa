"""Curves along shares of the labels: where points and bars lie, and what is left out."""

import pytest

from medunsup.report.base.charts import HEIGHT, WIDTH
from medunsup.report.base.efficiency import Series, efficiency

NAN = float("nan")


def test_higher_figures_lie_higher_and_bars_reach_around_them():
    series = [Series("a", [0.5, 0.9], [0.4, 0.8], [0.6, 1.0]), Series("b", [0.7, 0.7], [0.6] * 2, [0.8] * 2)]
    drawn = efficiency(series, ["1 %", "100 %"], "told")
    first, last = drawn.lines[0].bars
    assert first.x < last.x
    assert first.y > last.y  # places count downwards
    for bar in (bar for line in drawn.lines for bar in line.bars):
        assert 0 <= bar.high < bar.y < bar.low <= HEIGHT
        assert 0 < bar.x < WIDTH
    assert [line.name for line in drawn.lines] == ["a", "b"]
    assert drawn.lines[0].kind != drawn.lines[1].kind
    assert drawn.zero is None


def test_zero_is_marked_where_it_lies():
    drawn = efficiency([Series("a", [0.0, -0.1], [-0.1, -0.2], [0.1, 0.0])], ["1", "2"], "told", zero=True)
    assert drawn.zero == pytest.approx(drawn.lines[0].bars[0].y)
    above = efficiency([Series("a", [0.2], [0.1], [0.3])], ["1"], "told", zero=True)
    assert above.lines[0].bars[0].low < above.zero <= HEIGHT


def test_a_bar_without_known_ends_is_a_point():
    (bar,) = efficiency([Series("a", [0.5], [NAN], [NAN])], ["1"], "told").lines[0].bars
    assert bar.low == bar.y == bar.high
