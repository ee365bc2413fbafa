"""Facts of single methods on features."""

import numpy as np
import pytest
from helpers.few_labels import blobs, few, moons, on_features
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelPropagation

from medunsup.core.errors import ArrayError


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("name", ["label_propagation", "label_spreading"])
@pytest.mark.parametrize("kernel", ["knn", "rbf"])
def test_64_features_do_not_send_all_rows_to_the_first_class(name, kernel):
    """With scikit-learn's own width they do, silently."""
    rows, truth = blobs(60, features=64, apart=3)
    rows[:, 1:16] += 3 * truth[:, None]
    labels = few(truth, 5)
    fitted = on_features(name, kernel=kernel).fit(rows, labels)
    assert (fitted.predict(rows) == truth).mean() > 0.9
    plain = LabelPropagation().fit(rows, labels).predict(rows)
    assert (plain[labels < 0] == 0).mean() > 0.9


def test_a_row_that_no_label_reaches_is_not_covered_and_has_equal_probabilities():
    rows = np.concatenate([np.arange(5.0), np.arange(100.0, 105)])[:, None]
    labels = np.array([0, -1, -1, -1, 1, -1, -1, -1, -1, -1])
    fitted = on_features("label_propagation", kernel="knn", neighbours=2).fit(rows, labels)
    assert fitted.coverage_ == pytest.approx(3 / 8)
    np.testing.assert_array_equal(fitted.probabilities(rows[6:]), 0.5)


def test_propagation_keeps_given_labels_and_takes_the_mean_of_the_neighbours():
    """A chain 0 - ? - ? - 1: the harmonic solution is 1/3 and 2/3 of the way (each row counts itself too)."""
    rows = np.arange(4.0)[:, None]
    fitted = on_features("label_propagation", kernel="rbf", neighbours=1, class_mass=False).fit(
        rows, np.array([0, -1, -1, 1])
    )
    said = fitted._model.label_distributions_
    weights = np.exp(-((rows - rows.T) ** 2))
    weights /= weights.sum(axis=1, keepdims=True)
    inner = np.linalg.solve(np.eye(2) - weights[1:3, 1:3], weights[1:3, [0, 3]])
    np.testing.assert_allclose(said, [[1, 0], *inner, [0, 1]], atol=1e-4)


def test_fewer_rows_than_neighbours_are_refused_with_the_number_to_give():
    with pytest.raises(ArrayError, match=r"neighbours.*2"):
        on_features("label_spreading").fit([[0.0], [1.0], [2.0]], [0, 1, -1])


def test_self_training_with_an_unreachable_threshold_is_plain_logistic_regression():
    rows, truth = blobs(apart=2)
    labels = few(truth, 3)
    fitted = on_features("self_training", threshold=0.9999).fit(rows, labels)
    assert fitted.coverage_ == 0
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    plain = LogisticRegression(C=fitted.config.penalty).fit(scaled[labels >= 0], labels[labels >= 0])
    np.testing.assert_allclose(fitted.probabilities(rows), plain.predict_proba(scaled), atol=1e-6)


@pytest.mark.parametrize("covariance", ["shared", "diagonal"])
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), features=st.integers(1, 6), weight=st.floats(0, 1), apart=st.floats(0, 5))
def test_each_round_of_em_raises_the_objective(covariance, seed, features, weight, apart):
    rows, truth = blobs(40, features=features, apart=apart, seed=seed)
    fitted = on_features("em", covariance=covariance, unlabelled_weight=weight, tolerance=0.0, rounds=30).fit(
        rows, few(truth, 2, seed=seed)
    )
    assert len(fitted.objective_) > 1
    assert (np.diff(fitted.objective_) >= -1e-8 * np.abs(fitted.objective_[:-1])).all()


@pytest.mark.parametrize("covariance", ["shared", "diagonal"])
def test_em_finds_two_known_gaussians_from_two_labels(covariance):
    rng, truth = np.random.default_rng(0), np.arange(4000) % 4 > 0
    rows = np.where(truth[:, None], [3.0, -1.0], [0.0, 1.0]) + rng.normal(size=(4000, 2)) * [1.0, 0.5]
    fitted = on_features("em", covariance=covariance).fit(rows, few(truth.astype(int), 1))
    means = fitted.mixture_.means * rows.std(axis=0) + rows.mean(axis=0)
    np.testing.assert_allclose(means, [[0, 1], [3, -1]], atol=0.08)
    np.testing.assert_allclose(np.exp(fitted.mixture_.log_shares), [0.25, 0.75], atol=0.01)
    spread = fitted.mixture_.spread if covariance == "diagonal" else [np.diag(fitted.mixture_.spread)] * 2
    np.testing.assert_allclose(np.sqrt(spread) * rows.std(axis=0), [[1, 0.5]] * 2, atol=0.05)


def test_em_without_weight_learns_from_the_labelled_rows_alone():
    rows, truth = blobs(apart=2)
    labels = few(truth, 5)
    one = on_features("em", unlabelled_weight=0.0).fit(rows, labels)
    for number in (0, 1):
        mean = rows[labels == number].mean(axis=0)
        np.testing.assert_allclose(one.mixture_.means[number] * rows.std(axis=0) + rows.mean(axis=0), mean)


def test_em_stays_finite_far_from_all_classes():
    rows, truth = blobs()
    fitted = on_features("em").fit(rows, few(truth, 2))
    assert np.isfinite(fitted.probabilities([[1e6, -1e6]])).all()


@pytest.mark.slow
def test_unlabelled_rows_help_where_classes_are_shapes_of_their_own():
    """Two moons with two labels each, five seeds: 0.99 beside 0.80 from the labels alone."""
    gains = []
    for seed in range(5):
        rows, truth = moons(seed=seed)
        labels = few(truth, 2, seed=seed)
        scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        plain = LogisticRegression().fit(scaled[labels >= 0], labels[labels >= 0]).predict(scaled)
        found = on_features("label_propagation").fit(rows, labels).predict(rows)
        gains.append(float((found == truth).mean() - (plain == truth).mean()))
    assert np.mean(gains) > 0.08
    assert min(gains) > 0
