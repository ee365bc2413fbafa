"""Figures of representations: known values, invariances, and what they are meant to tell apart."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from medunsup.core.errors import ArrayError
from medunsup.metrics import representation
from medunsup.metrics.representation import (
    alignment,
    effective_rank,
    entropy,
    feature_std,
    knn_accuracy,
    occupancy,
    uniformity,
)

SHAPES = st.tuples(st.integers(4, 30), st.integers(2, 9), st.integers(0, 10_000))


def normal(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_examples_run():
    found = doctest.testmod(representation)
    assert found.attempted
    assert not found.failed


@settings(max_examples=30, deadline=None)
@given(SHAPES)
def test_rotations_change_nothing(shape):
    n, d, seed = shape
    rows, other = normal(n, d, seed), normal(n, d, seed + 1)
    turn = ortho_group.rvs(d, random_state=seed)
    labels = np.arange(n) % 2
    assert effective_rank(rows @ turn) == pytest.approx(effective_rank(rows), rel=1e-9)
    assert alignment(rows @ turn, other @ turn) == pytest.approx(alignment(rows, other), rel=1e-9)
    assert uniformity(rows @ turn) == pytest.approx(uniformity(rows), rel=1e-9)
    assert knn_accuracy(rows @ turn, labels) == knn_accuracy(rows, labels)


@settings(max_examples=30, deadline=None)
@given(SHAPES, st.floats(1e-200, 1e150))
def test_neither_scale_nor_order_changes_anything(shape, scale):
    n, d, seed = shape
    rows = normal(n, d, seed)
    order = np.random.default_rng(seed).permutation(n)
    for figure in (feature_std, effective_rank, uniformity):
        assert figure(scale * rows[order]) == pytest.approx(figure(rows), rel=1e-9)


@pytest.mark.parametrize("d", [8, 64, 512])
def test_features_that_point_anywhere_spread_by_one_and_fill_the_sphere(d):
    rows = normal(2000, d)
    assert feature_std(rows) == pytest.approx(1, abs=0.02)
    assert uniformity(rows) < -2.5


def test_constant_features_with_a_little_noise_are_told_from_healthy_ones():
    collapsed = 1 + 1e-3 * normal(200, 64)
    assert feature_std(collapsed) < 0.002
    assert effective_rank(collapsed) < 2
    assert uniformity(collapsed) > -0.001
    assert effective_rank(normal(200, 64)) > 50


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_the_effective_rank_of_equal_singular_values_is_their_number(rank):
    left, right = ortho_group.rvs(20, random_state=0), ortho_group.rvs(9, random_state=1)
    assert effective_rank(7 * left[:, :rank] @ right[:rank]) == pytest.approx(rank, abs=1e-9)


def test_nothing_spreads_where_all_is_zero():
    nothing = np.zeros((6, 4))
    assert (feature_std(nothing), effective_rank(nothing), uniformity(nothing)) == (0, 0, 0)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_broken_feature_gives_no_figure(broken):
    rows = normal(8, 4)
    rows[3, 2] = broken
    labels = np.arange(8) % 2
    figures = [feature_std(rows), effective_rank(rows), uniformity(rows), alignment(rows, normal(8, 4))]
    assert np.isnan([*figures, knn_accuracy(rows, labels).accuracy]).all()


def test_alignment_of_opposite_unrelated_and_equal_views():
    rows, other = normal(4000, 16), normal(4000, 16, seed=1)
    assert alignment(rows, -rows) == pytest.approx(4)
    assert alignment(rows, other) == pytest.approx(2, abs=0.05)
    assert alignment(rows, 3 * rows) == pytest.approx(0, abs=1e-12)


def test_uniformity_is_the_mean_potential_of_pairs():
    rows = normal(12, 5)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [np.exp(-2 * np.sum((unit[i] - unit[j]) ** 2)) for i in range(12) for j in range(i)]
    assert uniformity(rows) == pytest.approx(np.log(np.mean(pairs)), abs=1e-12)


def test_a_vote_is_scikit_learns_without_the_sample_itself():
    from sklearn.neighbors import KNeighborsClassifier

    rows = normal(60, 5)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = (rows[:, 0] + 0.3 * normal(60, 1, seed=2)[:, 0] > 0).astype(int)
    votes = KNeighborsClassifier(15, weights=lambda apart: np.exp(-(apart**2) / 2 / 0.07))
    found = [votes.fit(np.delete(rows, n, 0), np.delete(labels, n)).predict(rows[[n]])[0] for n in range(60)]
    mine = knn_accuracy(rows, labels)
    assert mine.k == 15
    assert mine.accuracy == pytest.approx(np.mean(found == labels))


@pytest.mark.parametrize(("n", "k"), [(4, 1), (60, 15), (80, 20), (500, 20)])
def test_few_samples_have_few_neighbours(n, k):
    assert knn_accuracy(normal(n, 3), np.arange(n) % 2).k == k


def test_neither_the_sample_itself_nor_its_subject_counts():
    """Every person has two scans and a label of their own making: only a person's own scan would tell it."""
    people = np.repeat(normal(40, 16), 2, axis=0)
    labels = np.repeat(np.random.default_rng(5).integers(0, 2, 40), 2)
    subjects = np.repeat(np.arange(40), 2)
    leaking = knn_accuracy(people, subjects, temperature=0.01).accuracy
    assert leaking == 1
    assert knn_accuracy(people, subjects, subjects=subjects).accuracy == 0
    assert 0.2 < knn_accuracy(people, labels, subjects=subjects).accuracy < 0.8
    assert knn_accuracy(np.eye(8), np.arange(8)).accuracy == 0


def test_entropy_and_occupancy_of_known_teachers():
    uniform, sure, one = np.full((8, 4), 0.25), np.eye(4), np.eye(4)[[2] * 8]
    assert [entropy(each) for each in (uniform, sure, one)] == pytest.approx([1, 0, 0])
    assert [occupancy(each) for each in (uniform, sure, one)] == pytest.approx([1, 1, 0.25])


def test_few_items_cannot_use_many_prototypes():
    assert occupancy(np.eye(100)[:5]) == pytest.approx(1)
    assert occupancy(np.eye(100)[[3] * 5]) == pytest.approx(1 / 5)


def test_wrong_shapes_are_refused():
    with pytest.raises(ArrayError, match="not \\(1, 4\\)"):
        feature_std(np.ones((1, 4)))
    with pytest.raises(ArrayError, match="one shape"):
        alignment(np.ones((3, 4)), np.ones((3, 5)))
    with pytest.raises(ArrayError, match="labels: one a row of 8"):
        knn_accuracy(np.ones((8, 4)), [0, 1])
