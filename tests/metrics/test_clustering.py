"""Measures of clusters: scikit-learn's figures, known values, refusals."""

import doctest
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from medunsup.core.errors import ArrayError
from medunsup.metrics import clustering
from medunsup.metrics.clustering import ari, clustering_accuracy, nmi, occupancy, silhouette

PARTITIONS = st.tuples(st.integers(1, 40), st.integers(1, 5), st.integers(1, 5), st.integers(0, 10_000))


def partitions(case: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    n, first, second, seed = case
    rng = np.random.default_rng(seed)
    return rng.integers(0, first, n), rng.integers(0, second, n)


def test_examples_run():
    assert not doctest.testmod(clustering).failed


@given(PARTITIONS)
@settings(deadline=None)
def test_nmi_and_ari_are_those_of_scikit_learn(case):
    truth, found = partitions(case)
    assert nmi(truth, found) == pytest.approx(metrics.normalized_mutual_info_score(truth, found), abs=1e-9)
    assert ari(truth, found) == pytest.approx(metrics.adjusted_rand_score(truth, found), abs=1e-9)


@given(PARTITIONS)
@settings(deadline=None, max_examples=50)
def test_accuracy_is_the_best_over_all_namings(case):
    truth, found = partitions(case)
    best = max((np.array(names)[found] == truth).mean() for names in permutations(range(5)))
    assert clustering_accuracy(truth, found) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("n", [12, 1_300])  # one piece and two
def test_silhouette_is_that_of_scikit_learn_without_noise(n):
    rng = np.random.default_rng(n)
    rows, found = rng.normal(size=(n, 3)), rng.integers(-1, 4, n)
    found[0] = 7  # alone
    rows[1:4], is_in = 1.0, found >= 0
    expected = metrics.silhouette_score(rows[is_in], found[is_in])
    assert silhouette(rows, found) == pytest.approx(expected, abs=1e-9)
    assert np.isnan(silhouette(rows, np.zeros(n, int)))


def test_a_cluster_that_died_and_rows_in_none_are_seen():
    np.testing.assert_allclose(occupancy([0, 0, 2, -1], 4), [0.5, 0, 0.25, 0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: nmi([0, 1], [0]),
        lambda: ari([], []),
        lambda: clustering_accuracy([[0]], [[0]]),
        lambda: silhouette([0.0, 1.0], [0, 1]),
        lambda: occupancy([0, 3], 3),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ArrayError, match="not"):
        call()
