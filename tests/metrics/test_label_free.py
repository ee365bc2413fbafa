"""Scores of features without labels: known values, independent references, invariances."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.stats import entropy, ortho_group

from medunsup.core.errors import ArrayError
from medunsup.metrics import label_free
from medunsup.metrics.label_free import WITHIN_LEAST, alpha_req, lidar, rankme

SHAPES = st.tuples(st.integers(30, 60), st.integers(12, 16), st.integers(0, 10_000))


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def power_law(alpha: float, n: int = 200, d: int = 64) -> np.ndarray:
    """Rows whose covariance has exactly the eigenvalues 1, 2 ** -alpha, 3 ** -alpha ..."""
    rows = normal(n, d)
    whitened, _ = np.linalg.qr(rows - rows.mean(axis=0))
    return whitened * np.arange(1, d + 1) ** (-alpha / 2) @ ortho_group.rvs(d, random_state=0)


def discriminants(views: np.ndarray) -> np.ndarray:
    """Eigenvalues of linear discriminant analysis, by the generalised problem B v = l W v."""
    n, _, d = views.shape
    means = views.mean(axis=1)
    between = (n - 1) * np.cov(means.T)
    within = sum(np.cov(one.T) for one in views) / n
    return eigh(between, within + WITHIN_LEAST * np.trace(within) / d * np.eye(d), eigvals_only=True)


def test_examples_run():
    found = doctest.testmod(label_free)
    assert found.attempted
    assert not found.failed


@settings(max_examples=20, deadline=None)
@given(SHAPES, st.floats(1e-3, 1e3))
def test_neither_rotation_nor_scale_nor_order_changes_a_score(shape, scale):
    n, d, seed = shape
    turn, order = ortho_group.rvs(d, random_state=seed), np.random.default_rng(seed).permutation(n)
    rows, views = normal(n, d, seed=seed), normal(n, 3, d, seed=seed)
    for score, given_ in ((rankme, rows), (alpha_req, rows), (lidar, views)):
        assert score(scale * given_[order] @ turn) == pytest.approx(score(given_), rel=1e-6, abs=1e-9)


def test_rankme_is_the_entropy_of_the_roots_of_the_gram_matrix():
    rows = normal(40, 12) * np.arange(1, 13)
    values = np.sqrt(np.linalg.eigvalsh(rows.T @ rows))
    assert rankme(rows) == pytest.approx(np.exp(entropy(values)))


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.5])
def test_alpha_req_finds_the_exponent_of_a_power_law(alpha):
    assert alpha_req(power_law(alpha)) == pytest.approx(-abs(alpha - 1), abs=1e-8)


def test_alpha_req_does_not_see_the_mean():
    assert alpha_req(power_law(1.5) + 100) == pytest.approx(alpha_req(power_law(1.5)), abs=1e-6)


def test_lidar_is_the_entropy_of_the_generalised_eigenvalues():
    views = normal(50, 1, 6) * np.arange(1, 7) + 0.5 * normal(50, 4, 6, seed=1)
    values = discriminants(views)
    assert lidar(views) == pytest.approx(np.exp(entropy(values)), rel=1e-6)


def test_lidar_does_not_count_dimensions_in_which_views_of_an_item_differ():
    told_apart, noise = normal(200, 1, 8), 30 * normal(200, 4, 8, seed=1)
    views = np.concatenate([told_apart + 0.05 * normal(200, 4, 8, seed=2), noise], axis=2)
    assert lidar(views) == pytest.approx(8, abs=0.5)
    assert rankme(views[:, 0]) < 16
    assert rankme(views[:, 0]) > 8.5


def test_collapsed_features_have_the_lowest_scores():
    assert rankme(np.ones((20, 6))) == pytest.approx(1)
    assert alpha_req(np.ones((20, 8))) == -np.inf
    assert lidar(np.ones((20, 3, 6))) == 0
    assert lidar(np.zeros((20, 3, 6))) == 0


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_not_finite_has_no_score(broken):
    rows, views = normal(20, 8), normal(20, 2, 8)
    rows[3, 2] = views[3, 1, 2] = broken
    assert np.isnan([rankme(rows), alpha_req(rows), lidar(views)]).all()


@pytest.mark.parametrize(
    ("score", "shape"), [(rankme, (1, 4)), (alpha_req, (4,)), (lidar, (4, 1, 3)), (lidar, (4, 3))]
)
def test_too_few_items_or_views_are_refused(score, shape):
    with pytest.raises(ArrayError):
        score(np.ones(shape))
