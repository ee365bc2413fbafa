"""Areas under curves and their differences, beside scikit-learn and by what must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from medunsup.core.errors import InputError
from medunsup.metrics.bootstrap import Estimate
from medunsup.metrics.classification import auc, auc_difference, balanced_accuracy, subjects_needed

few = settings(max_examples=25, deadline=None)


def drawn(n: int, k: int, seed: int, *, levels: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with ties, and labels of which each class is there."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    given = rng.integers(1, levels, (n, k)).astype(float)
    return given / given.sum(axis=1, keepdims=True), labels


@few
@given(st.integers(4, 40), st.integers(2, 4), st.integers(0, 99))
def test_areas_and_balanced_accuracy_are_those_of_scikit_learn(n, k, seed):
    given, labels = drawn(n, k, seed)
    theirs = (
        roc_auc_score(labels, given[:, 1])
        if k == 2
        else np.mean([roc_auc_score(labels == one, given[:, one]) for one in range(k)])
    )
    assert auc(given, labels)[0] == pytest.approx(theirs)
    assert balanced_accuracy(given, labels) == pytest.approx(
        balanced_accuracy_score(labels, given.argmax(axis=1))
    )


@few
@given(st.integers(4, 20), st.integers(2, 3), st.integers(0, 99))
def test_a_weight_of_two_is_a_sample_that_is_there_twice(n, k, seed):
    given, labels = drawn(n, k, seed)
    counts = np.random.default_rng(seed).integers(0, 3, n)
    counts[:k] = 1
    repeated = auc(np.repeat(given, counts, axis=0), np.repeat(labels, counts))
    assert auc(given, labels, counts[None].astype(float))[0] == pytest.approx(repeated[0])


def test_one_class_alone_has_no_area():
    assert np.isnan(auc(np.array([[0.2, 0.8], [0.4, 0.6]]), np.array([1, 1]))[0])


def test_swapping_the_two_turns_the_difference_round_and_the_interval_holds_it():
    first, labels = drawn(60, 2, 1)
    second, _ = drawn(60, 2, 2)
    names = [str(n) for n in range(60)]
    there = auc_difference([first], [second], labels, names)
    back = auc_difference([second], [first], labels, names)
    assert there.low < there.value < there.high
    assert (back.value, back.low, back.high) == pytest.approx(
        (-there.value, -there.high, -there.low), abs=2e-3
    )


def test_scans_of_one_subject_are_drawn_together_so_repeats_teach_nothing():
    first, labels = drawn(40, 2, 3)
    second, _ = drawn(40, 2, 4)
    names = [str(n) for n in range(40)]
    once = auc_difference([first], [second], labels, names)
    thrice = [np.repeat(one, 3, axis=0) for one in (first, second)]
    again = auc_difference([thrice[0]], [thrice[1]], np.repeat(labels, 3), np.repeat(names, 3))
    assert again.n == once.n == 40
    assert (again.value, again.low, again.high) == pytest.approx((once.value, once.low, once.high))


def test_an_interval_of_chance_excludes_zero_about_as_seldom_as_it_says():
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels, names = rng.permutation(np.arange(50) % 2), [str(n) for n in range(50)]
        one, other = rng.random((2, 50, 2))
        difference = auc_difference([one], [other], labels, names, seed=seed)
        found.append(difference.low * difference.high > 0)
    assert sum(found) <= 8  # 3 expected; more than 8 happen once in 300 times


def test_fits_that_do_not_pair_are_refused():
    given, labels = drawn(6, 2, 0)
    with pytest.raises(InputError, match="cannot be paired"):
        auc_difference([given], [given, given], labels, list("abcdef"))


def test_half_the_difference_needs_four_times_the_subjects():
    whole, half = (Estimate(value, value - 0.1, value + 0.1, 100) for value in (0.02, 0.01))
    assert subjects_needed(half) == pytest.approx(4 * subjects_needed(whole), rel=0.01)
    assert subjects_needed(Estimate(0.0, -0.1, 0.1, 100)) == np.inf
