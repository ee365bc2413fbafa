"""What probes find in features whose truth is known."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medunsup.core.errors import ArrayError
from medunsup.metrics.probes import PENALTIES, linear_probe, neighbours_probe

PROBES = (linear_probe, neighbours_probe)


def made(n: int, gap: float, seed: int = 0, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Noise in which the first feature of class 1 lies higher by `gap`."""
    rng, labels = np.random.default_rng(seed), np.arange(n) % 2
    features = rng.normal(size=(n, d))
    features[:, 0] += gap * labels
    return features, labels


@pytest.mark.parametrize("probe", PROBES)
def test_what_is_there_is_found_and_what_is_not_there_is_not(probe):
    test, truth = made(400, 3.0, seed=1)
    informative = probe(*made(200, 3.0), test).probabilities[:, 1]
    rng, (features, labels) = np.random.default_rng(2), made(200, 3.0)
    permuted = probe(features, rng.permutation(labels), test).probabilities[:, 1]
    assert roc_auc_score(truth, informative) > 0.9
    assert abs(roc_auc_score(rng.permutation(truth), permuted) - 0.5) < 0.12


@pytest.mark.parametrize("probe", PROBES)
def test_probabilities_sum_to_one_and_samples_do_not_depend_on_one_another(probe):
    test, _ = made(10, 1.0, seed=1)
    together = probe(*made(30, 1.0), test).probabilities
    alone = probe(*made(30, 1.0), test[3:4]).probabilities
    assert together.sum(axis=1) == pytest.approx(np.ones(10))
    assert alone[0] == pytest.approx(together[3])


def test_units_of_features_do_not_matter_to_the_linear_probe():
    (features, labels), (test, _) = made(40, 1.0), made(10, 1.0, seed=1)
    units = np.array([1e3, 1e-3, 1, 5, 20, 0.1])
    plain = linear_probe(features, labels, test)
    scaled = linear_probe(features * units + 7, labels, test * units + 7)
    assert scaled.probabilities == pytest.approx(plain.probabilities, abs=1e-5)


def test_scaled_together_small_components_stay_small():
    features, labels = made(40, 4.0, d=40)
    features[:, 0] *= 10
    test, truth = made(400, 4.0, seed=1, d=40)
    test[:, 0] *= 10
    together = linear_probe(features, labels, test, scale="together").probabilities[:, 1]
    assert roc_auc_score(truth, together) > 0.95


def test_the_penalty_is_chosen_from_the_training_labels_and_stronger_for_noise():
    test, _ = made(4, 0.0, d=30)
    noise = linear_probe(*made(60, 0.0, d=30), test)
    signal = linear_probe(*made(60, 8.0, d=30), test)
    assert {noise.setting, signal.setting} <= set(PENALTIES)
    assert noise.setting < signal.setting


def test_two_labels_are_enough_and_one_is_not():
    assert linear_probe([[0.0], [1.0]], [0, 1], [[2.0]]).probabilities[0, 1] > 0.5
    with pytest.raises(ArrayError, match="from 0 to at least 1"):
        linear_probe([[0.0], [1.0]], [0, 0], [[2.0]])
    with pytest.raises(ArrayError, match="test features"):
        neighbours_probe([[0.0], [1.0]], [0, 1], [[2.0, 1.0]])


@pytest.mark.parametrize(("n", "k"), [(2, 1), (40, 10), (200, 20)])
def test_a_quarter_votes_and_at_most_twenty(n, k):
    assert neighbours_probe(*made(n, 1.0), made(4, 1.0)[0]).setting == k
