"""The M-step learns from partial volume as from pure ones, and never fits worse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.tissue.em.gaussian_mixture import Gaussians, Moments, expected_log_likelihood, layout, maximise

PARTS = layout(2, {(0, 1): 1.0}, levels=3, outlier_weight=0.01)
TRUTH = Gaussians(
    np.array([[0.2, 0.7], [0.8, 0.3]]), np.array([np.diag([4e-3, 9e-3]), np.diag([1e-3, 2e-3])])
)


def moments_of(counts: np.ndarray, seed: int) -> Moments:
    """Sums over voxels drawn from the true mixture, `counts` (M,) a component."""
    rng = np.random.default_rng(seed)
    means, covariances = TRUTH.spread(PARTS.mix)
    drawn = [
        rng.multivariate_normal(mean, covariance, n) if n else np.zeros((0, 2))
        for mean, covariance, n in zip(means, covariances, counts, strict=True)
    ]
    return Moments(
        counts.astype(float),
        np.stack([values.sum(axis=0) for values in drawn]),
        np.stack([values.T @ values for values in drawn]),
    )


def fitted(moments: Moments, steps: int) -> Gaussians:
    now = Gaussians(np.array([[0.4, 0.5], [0.6, 0.5]]), np.stack([np.eye(2) * 0.02] * 2))
    for _ in range(steps):
        now = maximise(moments, now, PARTS, lambda gaussians: gaussians)
    return now


@pytest.mark.parametrize("counts", [(9000, 9000, 3000, 3000, 3000, 0), (0, 9000, 9000, 9000, 9000, 0)])
def test_the_tissues_are_found_also_where_one_is_never_seen_pure(counts):
    found = fitted(moments_of(np.array(counts), seed=3), steps=100)
    np.testing.assert_allclose(found.means, TRUTH.means, atol=0.01)
    np.testing.assert_allclose(found.covariances, TRUTH.covariances, rtol=0.25, atol=5e-4)


@given(counts=st.tuples(*[st.integers(0, 400)] * 5), seed=st.integers(0, 99), steps=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_no_step_fits_worse(counts, seed, steps):
    moments = moments_of(np.array([*counts, 0]), seed)
    before = fitted(moments, steps)
    after = maximise(moments, before, PARTS, lambda gaussians: gaussians)
    rise = expected_log_likelihood(moments, after, PARTS) - expected_log_likelihood(moments, before, PARTS)
    assert rise >= -1e-9 * max(1.0, sum(counts))
