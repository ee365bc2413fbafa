"""How many subjects a difference needs: agrees with simulation and with what the verdict says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from medunsup.metrics.power import subjects_needed


@pytest.mark.parametrize("effect", [0.5, 0.8, 1.5])
def test_so_many_subjects_show_the_difference_in_four_of_five_studies(effect):
    rng = np.random.default_rng(0)
    sample = rng.normal(size=1000)
    sample = effect + (sample - sample.mean()) / sample.std(ddof=1)
    n = subjects_needed(sample)
    studies = effect + rng.normal(size=(20_000, n))
    shown = stats.ttest_1samp(studies, 0, axis=1)
    assert np.mean((shown.pvalue < 0.05) & (shown.statistic > 0)) == pytest.approx(0.8, abs=0.08)
    assert np.mean((shown.pvalue < 0.05) & (shown.statistic > 0)) > 0.79


def test_the_book_says_34_for_half_a_standard_deviation():
    """Cohen (1988): 34 pairs for d = 0.5, 80 % power, 5 % two-sided."""
    sample = np.array([-1.0, 1.0])
    sample = 0.5 + sample / sample.std(ddof=1)
    assert subjects_needed(sample) == 34


@given(st.floats(0.2, 3), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_scale_and_sign_change_nothing_and_a_larger_effect_needs_fewer(effect, seed):
    sample = np.random.default_rng(seed).normal(size=30)
    sample = effect + (sample - sample.mean()) / sample.std(ddof=1)
    n = subjects_needed(sample)
    assert n == subjects_needed(-3 * sample)
    assert subjects_needed(sample + effect) <= n


@pytest.mark.parametrize("sample", [[], [0.1], [0.0, 0.0], [1.0, -1.0], [float("nan"), 0.2]])
def test_nothing_is_said_where_nothing_is_known(sample):
    assert subjects_needed(sample) is None


def test_differences_that_are_all_the_same_need_two():
    assert subjects_needed([0.1, 0.1, 0.1]) == 2
