"""How many clusters there are: known answers, no answer where there are none, criteria against references."""

import numpy as np
import pytest
from helpers.made_cohorts import NULLS, groups, no_groups
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import LedoitWolf
from sklearn.metrics import silhouette_score

from medunsup.clustering import Agglomerative, KMeans, choose_k
from medunsup.clustering.choosing.dip import dip, dip_p
from medunsup.clustering.choosing.null import draw
from medunsup.core.errors import ArrayError


def make(k: int, seed: int) -> KMeans:
    return KMeans(n_clusters=k, n_init=3, seed=seed)


def chosen(rows: np.ndarray, most: int = 4, method=make) -> int:
    return choose_k(method, rows, ks=range(1, most + 1), with_curves=False).k


def distance_to_one_peak(values: np.ndarray, grid: int = 30) -> float:
    """The dip by linear programming: the nearest distribution whose density rises, then falls."""
    from scipy.optimize import linprog

    x = np.sort(values)
    n, best = len(x), np.inf
    for mode in range(n):
        # unknowns: heights G(x_i) and the distance; G is convex before the mode and concave after it
        rows, limits = [], []
        for i in range(n):
            for sign, step in ((1, i / n), (-1, (i + 1) / n)):  # G(x_i) <= i / n + d, >= (i + 1) / n - d
                row = np.zeros(n + 1)
                row[i], row[n] = sign, -1
                rows.append(row)
                limits.append(sign * step)
        for i in range(1, n - 1):
            if i == mode:
                continue
            row = np.zeros(n + 1)
            before, after = 1 / (x[i] - x[i - 1]), 1 / (x[i + 1] - x[i])
            row[i - 1], row[i], row[i + 1] = -before, before + after, -after
            rows.append(row if i < mode else -row)
            limits.append(0.0)
        for i in range(1, n):
            row = np.zeros(n + 1)
            row[i - 1], row[i] = 1, -1
            rows.append(row)
            limits.append(0.0)
        cost = np.zeros(n + 1)
        cost[n] = 1
        found = linprog(cost, A_ub=np.array(rows), b_ub=limits, bounds=[(0, 1)] * n + [(0, 1)])
        best = min(best, found.fun)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_dip_is_the_distance_to_the_nearest_distribution_of_one_peak(seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(size=7), rng.normal(4, 1, size=seed + 1)])
    assert dip(values) == pytest.approx(max(distance_to_one_peak(values), 0.5 / len(values)), abs=1e-6)


@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
@settings(deadline=None, max_examples=30)
def test_dip_knows_no_unit_and_no_direction(seed, scale, offset):
    values = np.random.default_rng(seed).normal(size=25)
    assert dip(scale * values + offset) == pytest.approx(dip(values), abs=1e-9)
    assert dip(-values) == pytest.approx(dip(values), abs=1e-9)


def test_p_of_a_dip_is_even_where_numbers_are_even_and_small_for_two_peaks():
    rng = np.random.default_rng(0)
    found = np.array([dip_p(rng.uniform(size=40)) for _ in range(400)])
    assert 0.02 < (found <= 0.05).mean() < 0.09
    assert 0.4 < (found <= 0.5).mean() < 0.6
    assert dip_p(np.concatenate([rng.normal(size=20), rng.normal(8, 1, size=20)])) < 0.01
    assert dip_p([0.0, 0.0, 0.0, 9.0, 9.0, 9.0]) == 1  # too few


@pytest.mark.parametrize("k", [2, 3])
def test_groups_far_apart_are_counted(k):
    rows, _ = groups(k, 9, 90, seed=k)
    assert chosen(rows) == k


@pytest.mark.parametrize("kind", NULLS)
def test_one_group_is_no_clusters_whatever_its_form(kind):
    assert chosen(no_groups(kind, 80, seed=1), most=3) == 1


def test_a_method_without_centres_is_judged_alike():
    def merged(k, seed):
        return Agglomerative(n_clusters=k)

    rows, _ = groups(2, 10, 80)
    assert chosen(rows, 3, merged) == 2
    assert chosen(no_groups("gradient", 80), 3, merged) == 1


@pytest.mark.slow
def test_right_number_in_four_of_five_and_none_in_nineteen_of_twenty():
    right = [
        chosen(groups(k, 9, n, even=even)[0]) == k
        for k in (2, 3, 4)
        for n in (80, 160)
        for even in (True, False)
    ]
    assert np.mean(right) >= 0.8
    none = [
        chosen(no_groups(kind, n, seed=seed)) == 1 for kind in NULLS for n in (60, 160) for seed in (0, 1)
    ]
    assert np.mean(none) >= 0.95


def test_criteria_are_measured_beside_the_choice_and_all_is_told():
    rows, _ = groups(2, 9, 60)
    found = choose_k(make, rows, ks=range(1, 4))
    assert found.k == 2
    assert found.verdict.startswith("2 clusters")
    assert set(found.proposals) == {"elbow", "silhouette", "bic", "aic", "gap", "stability", "dirichlet"}
    assert found.proposals["silhouette"] == found.proposals["stability"] == 2
    labels = make(2, 0).fit(rows).labels_
    assert found.curves.silhouette[1] == pytest.approx(silhouette_score(rows, labels), abs=1e-9)
    within = sum(((rows[labels == one] - rows[labels == one].mean(axis=0)) ** 2).sum() for one in (0, 1))
    assert found.curves.inertia[1] == pytest.approx(within)
    assert [null.kind for null in found.nulls] == ["gaussian", "shuffled"]


def test_groups_of_one_feature_are_found_and_called_so():
    rows = np.random.default_rng(0).normal(size=(80, 2))
    rows[:40, 0] += 9
    found = choose_k(make, rows, ks=(2, 3), with_curves=False)
    assert found.k == 2
    assert "single features" in found.verdict
    rows[:40, 1] += 9
    assert "single features" not in choose_k(make, rows, ks=(2, 3), with_curves=False).verdict


def test_same_seed_gives_the_same_choice():
    rows, _ = groups(2, 7, 60)
    one, other = (choose_k(make, rows, ks=(2, 3), with_curves=False, seed=3) for _ in range(2))
    assert one == other


def test_draws_without_clusters_keep_covariance_or_columns():
    rows = no_groups("correlated", 4_000)[:, :5] * [1, 2, 3, 4, 5]
    rng = np.random.default_rng(0)
    gaussian, shuffled = draw("gaussian", rows, rng), draw("shuffled", rows, rng)
    wanted = LedoitWolf().fit(rows).covariance_
    assert np.abs(np.cov(gaussian.T) - wanted).max() < 0.08 * np.abs(wanted).max()
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(rows, axis=0))
    assert abs(np.corrcoef(shuffled.T)[0, 1]) < 0.1 < abs(np.corrcoef(rows.T)[0, 1])


def test_constant_rows_and_duplicates_are_no_clusters_and_bad_rows_are_refused():
    assert chosen(np.ones((30, 3))) == 1
    assert chosen(np.repeat(np.random.default_rng(0).normal(size=(1, 3)), 40, axis=0)) == 1
    with pytest.raises(ArrayError, match="16 rows"):
        choose_k(make, np.zeros((5, 2)))
    rows = np.zeros((20, 2))
    rows[3, 1] = np.nan
    with pytest.raises(ArrayError, match="Row 3, feature 1"):
        choose_k(make, rows)
