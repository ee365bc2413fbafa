"""Intervals over subjects: what follows from the numbers alone, and how often they hold what they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.core.errors import InputError
from medunsup.metrics.bootstrap import compare, least_subjects, mean_interval

figures = st.lists(st.floats(0, 1), min_size=6, max_size=12)
few = settings(max_examples=25, deadline=None)


@few
@given(figures, st.integers(0, 3))
def test_interval_holds_the_mean_and_lies_within_the_range(values, seed):
    found = mean_interval(values, seed=seed)
    assert min(values) - 1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= max(values) + 1e-9


@few
@given(figures, st.floats(-0.5, 0.5))
def test_swapping_method_and_baseline_turns_the_verdict_round(values, shift):
    other = np.asarray(values)[::-1] + shift
    there, back = compare(values, other), compare(other, values)
    turned = {"better": "worse", "worse": "better"}
    assert back.difference.value == pytest.approx(-there.difference.value)
    if min(abs(there.difference.low), abs(there.difference.high)) > 0.02:
        assert back.verdict == turned.get(there.verdict, there.verdict)


@few
@given(figures)
def test_better_only_if_the_interval_excludes_zero(values):
    found = compare(values, np.full(len(values), 0.5))
    assert (found.verdict == "better") == (found.difference.low > 0)
    assert (found.verdict == "worse") == (found.difference.high < 0)


def test_a_method_is_not_better_than_itself():
    assert compare([0.1, 0.5, 0.9] * 5, [0.1, 0.5, 0.9] * 5).verdict == "no difference shown"


def test_five_unanimous_subjects_are_too_few_and_six_are_enough():
    assert least_subjects(0.95) == 6
    assert compare([0.9] * 5, [0.1, 0.2, 0.1, 0.2, 0.1]).verdict == "underpowered"
    assert compare([0.9] * 6, [0.1, 0.2, 0.1, 0.2, 0.1, 0.2]).verdict == "better"


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
def test_least_number_is_where_unanimity_by_chance_is_rarer_than_the_error(confidence):
    n = least_subjects(confidence)
    assert 2.0 ** (1 - n) <= 1 - confidence + 1e-12 < 2.0 ** (2 - n)


def test_scans_of_one_subject_do_not_make_more_subjects():
    once = mean_interval([0.1, 0.4, 0.5, 0.9])
    twice = mean_interval([0.1, 0.4, 0.5, 0.9] * 2, subjects=["a", "b", "c", "d"] * 2)
    assert twice == once


def test_a_subject_without_lesion_is_left_out_of_the_pair():
    found = compare([0.5, np.nan, 0.7], [0.4, 0.1, np.nan])
    assert found.difference.n == 1
    assert np.isnan(found.difference.low)
    assert found.verdict == "underpowered"


def test_unequal_lengths_are_refused():
    with pytest.raises(InputError, match=r"3 values .* 2"):
        compare([1, 2, 3], [1, 2])
    with pytest.raises(InputError, match="2 subjects"):
        mean_interval([1, 2, 3], subjects=["a", "b"])


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 20])
@pytest.mark.parametrize("kind", ["normal", "skewed"])
def test_95_percent_intervals_hold_the_truth_about_95_times_in_100(kind, n):
    generator = np.random.default_rng(n)
    n_trials = 600
    if kind == "normal":
        truth, samples = 0.0, generator.normal(size=(n_trials, n))
    else:
        truth, samples = 0.25, generator.beta(1, 3, size=(n_trials, n))
    intervals = [mean_interval(sample) for sample in samples]
    held = np.mean([one.low <= truth <= one.high for one in intervals])
    assert 0.9 < held < 0.98
