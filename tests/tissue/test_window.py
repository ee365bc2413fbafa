"""Intensities cut off at an end are told from few grey values, in any unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.tissue.quality.window import piled_up

NEITHER = {"at_lowest_percent": 0.0, "at_highest_percent": 0.0}


@pytest.fixture(scope="module")
def brain():
    """Intensities of a T1w brain: fluid, grey and white matter with noise."""
    rng = np.random.default_rng(0)
    return np.concatenate(
        [rng.normal(m, s, n) for m, s, n in ((30, 6, 8000), (70, 8, 25000), (100, 6, 20000))]
    )


@settings(max_examples=25, deadline=None)
@given(
    share=st.floats(0.2, 0.45),
    factor=st.floats(-12, 12).map(lambda power: 10.0**power),
    offset=st.floats(-3, 3),
    grey_values=st.sampled_from([0, 128, 256, 4096]),
    upside_down=st.booleans(),
)
def test_what_was_cut_off_is_measured(brain, share, factor, offset, grey_values, upside_down):
    top = np.quantile(brain, 1 - share)
    cut = np.minimum(brain, top) / top
    if grey_values:
        cut = np.round(cut * (grey_values - 1)) / (grey_values - 1)
    found = piled_up(((-cut if upside_down else cut) + offset) * factor)
    end, other = ("lowest", "highest") if upside_down else ("highest", "lowest")
    assert found[f"at_{end}_percent"] == pytest.approx(100 * share, abs=4)
    assert found[f"at_{other}_percent"] < 1


def test_a_threshold_that_leaves_a_gap_is_a_cut_as_well(brain):
    assert piled_up(np.where(brain < 45, 0, brain))["at_lowest_percent"] == pytest.approx(15, abs=2)


@pytest.mark.parametrize("grey_values", [5, 8, 11, 23, 64, 256])
@pytest.mark.parametrize("top_percent", [95, 99, 99.9, 100])
def test_few_grey_values_alone_are_no_cut(brain, grey_values, top_percent):
    levels = np.round(np.clip(brain / np.percentile(brain, top_percent), 0, 1) * (grey_values - 1))
    found = piled_up(levels)
    assert max(found.values()) < 6  # the five percent that were cut off in truth


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0], [0.0, 1.0]])
def test_too_little_to_tell_is_no_cut(values):
    assert piled_up(np.array(values)) == NEITHER
