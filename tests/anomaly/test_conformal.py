"""Ranks among healthy scans keep what the theory promises, exactly."""

import re
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.anomaly.conformal import conformal_p_value, conformal_threshold, is_unusual
from medunsup.core.errors import InputError, UsageError


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 60))
def test_of_n_plus_one_exchangeable_scans_as_many_are_flagged_as_promised(n, percent):
    """Each of n + 1 scans in turn is the new one: exactly floor(alpha (n + 1)) of them lie above."""
    scores, alpha = np.random.default_rng(n).permutation(n + 1).astype(float), percent / 100
    if alpha < 1 / (n + 1):
        with pytest.raises(UsageError):
            conformal_threshold(scores[1:], alpha)
        return
    flagged = sum(scores[new] > conformal_threshold(np.delete(scores, new), alpha) for new in range(n + 1))
    assert flagged == int(np.floor(alpha * (n + 1) + 1e-9))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 300), st.integers(1, 99), st.sampled_from(["k/100", "1 - (100 - k)/100", "1 - k/(n+1)"])
)
def test_the_rank_is_exact_however_the_rate_was_computed(n, percent, how):
    """Fractions know no rounding: the (floor(alpha (n + 1)))-th highest of n scores is the threshold."""
    exact, alpha = Fraction(percent, 100), percent / 100
    if how == "1 - (100 - k)/100":
        alpha = 1 - (100 - percent) / 100
    if how == "1 - k/(n+1)":
        rank = 1 + percent % (n + 1)
        exact, alpha = Fraction(n + 1 - rank, n + 1), 1 - rank / (n + 1)
    n_above = floor(exact * (n + 1))
    if n_above == 0:
        with pytest.raises(UsageError, match=r"between 0 and 1|Ask for"):
            conformal_threshold(np.arange(1.0, n + 1), alpha)
        return
    threshold = conformal_threshold(np.arange(1.0, n + 1), alpha)
    assert threshold == n + 1 - n_above
    for score in (threshold, threshold + 0.5):
        p_value = conformal_p_value(np.arange(1.0, n + 1), score)
        assert is_unusual(p_value, alpha) == (score > threshold)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2000))
def test_the_least_rate_told_is_one_that_can_be_asked_for(n):
    with pytest.raises(UsageError) as caught:
        conformal_threshold(np.arange(float(n)), 0.5 / (n + 1))
    told = float(re.search(r"Ask for ([\d.e-]+) or more", str(caught.value))[1])
    assert conformal_threshold(np.arange(float(n)), told) == n - 1
    assert told < 1.01 / (n + 1)


def test_a_score_that_is_no_number_has_no_p_value():
    healthy = np.array([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="not a number"):
        conformal_p_value(healthy, np.nan)
    with pytest.raises(InputError, match="not a number"):
        conformal_threshold(np.array([1.0, np.nan, 3.0]), 0.5)


def test_a_score_that_a_healthy_scan_reaches_is_as_likely_as_that_scan():
    healthy = np.array([1.0, 2.0, 2.0, 3.0])
    assert [conformal_p_value(healthy, score) for score in (0, 2, 3, 4)] == [1, 4 / 5, 2 / 5, 1 / 5]
