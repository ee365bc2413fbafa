"""A histogram of leading bits behaves as the scores themselves would, in constant memory."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medunsup.metrics.histogram import ScoreHistogram

scores = arrays(np.float32, st.integers(1, 60), elements=st.floats(-1e6, 1e6, width=32))
shares = st.floats(0, 1)
few = settings(max_examples=40, deadline=None)


@few
@given(scores)
def test_counts_above_the_edges_are_exact(values):
    edges, at_least = ScoreHistogram().add(values).tail()
    assert at_least[-1] == values.size
    assert (np.diff(edges) < 0).all()
    np.testing.assert_array_equal(at_least, [(values >= edge).sum() for edge in edges])


@few
@given(scores, shares)
def test_a_threshold_is_exceeded_by_no_more_than_its_share(values, share):
    (threshold,) = ScoreHistogram().add(values).thresholds(np.array([share]))
    assert (values > threshold).sum() <= share * values.size


def test_a_threshold_lies_within_a_bin_of_the_quantile():
    values = np.random.default_rng(0).gamma(2, size=200_000).astype(np.float32)
    asked = np.array([0.2, 0.01, 1e-4])
    found = ScoreHistogram().add(values).thresholds(asked)
    np.testing.assert_allclose(found, np.quantile(values, 1 - asked), rtol=3e-3)


@few
@given(scores, scores)
def test_scans_may_be_added_one_by_one_or_together(first, second):
    apart = ScoreHistogram().add(first).add(second)
    together = ScoreHistogram().add(np.concatenate([second, first]))
    np.testing.assert_array_equal(apart.counts, together.counts)


def test_minus_zero_and_zero_are_one_score():
    edges, at_least = ScoreHistogram().add(np.array([0.0, -0.0])).tail()
    assert edges.tolist() == [0.0]
    assert at_least.tolist() == [2]
