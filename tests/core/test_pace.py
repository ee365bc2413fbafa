"""The time left follows from the pace of the items done last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.core.pace import RECENT, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(2, 60), st.floats(0.1, 100))
def test_items_of_one_length_are_foretold_exactly(n_items, seconds):
    clock = Clock()
    pace = Pace(n_items, clock)
    for n in range(1, n_items):
        clock.now += seconds
        assert pace.done() == pytest.approx(seconds * (n_items - n))
    clock.now += seconds
    assert pace.done() is None


def test_what_was_done_already_tells_nothing_of_the_rest():
    clock = Clock()
    pace = Pace(10, clock)
    for _ in range(6):
        clock.now += 0.01
        assert pace.done(took_time=False) is None
    clock.now += 30
    assert pace.done() == pytest.approx(90)


def test_quick_items_at_the_beginning_are_forgotten():
    clock = Clock()
    pace = Pace(100, clock)
    for seconds in [0.1] * 20 + [10.0] * RECENT:
        clock.now += seconds
        left = pace.done()
    assert left == pytest.approx(10.0 * (100 - 20 - RECENT))
