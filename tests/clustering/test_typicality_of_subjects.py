"""Typicality and the criteria beside K count subjects: the same people scanned again change nothing."""

import numpy as np
import pytest
from helpers.made_cohorts import groups as in_groups
from scipy.stats import kstest

from medunsup.clustering import KMeans, choose_k
from medunsup.clustering.choosing.curves import curves
from medunsup.clustering.subjects import subjects_of
from medunsup.clustering.typical import Calibration


def make(k: int, seed: int) -> KMeans:
    return KMeans(n_clusters=k, n_init=3, seed=seed)


def sessions(rows: np.ndarray, counts, noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Each row so many times, as sessions of one subject, and whose they are."""
    whose = np.repeat(np.arange(len(rows)), counts)
    return rows[whose] + noise * np.random.default_rng(seed).normal(size=(len(whose), rows.shape[1])), whose


@pytest.mark.parametrize("m", [2, 3, 7])
def test_a_cohort_scanned_m_times_over_has_the_typicality_of_one_scan_each(m):
    rows, _ = in_groups(2, 9, 48)
    once = make(2, 0).fit(rows)
    repeated, whose = sessions(rows, m)
    several = make(2, 0).fit(repeated).of_subjects(whose.tolist())
    np.testing.assert_allclose(several.typicality(), once.typicality()[whose], atol=1e-12)
    new = rows + 1.5 * np.random.default_rng(1).normal(size=rows.shape)
    np.testing.assert_allclose(several.typicality(new), once.typicality(new), atol=1e-12)


def test_of_one_row_a_subject_naming_them_changes_nothing():
    rows, _ = in_groups(2, 7, 40)
    method = make(2, 0).fit(rows)
    before = method.typicality()
    np.testing.assert_array_equal(method.of_subjects([f"s{n}" for n in range(40)]).typicality(), before)
    known = Calibration(rows, np.arange(40))
    one = KMeans(n_clusters=1).fit(rows)
    np.testing.assert_allclose(known.of_fitted(), one.typicality(), atol=1e-12)
    np.testing.assert_allclose(known.of_new(rows + 0.3), one.typicality(rows + 0.3), atol=1e-12)


def test_new_people_are_evenly_typical_beside_people_with_several_sessions():
    """Blind to subjects, a fitted row lies beside its own sessions, and most new people look unlike all."""
    generator = np.random.default_rng(0)
    people = generator.normal(size=(400, 6))
    rows, whose = sessions(people[:200], generator.integers(1, 5, 200), 0.2)
    new = people[200:] + 0.2 * generator.normal(size=(200, 6))
    method = KMeans(n_clusters=1).fit(rows)
    blind = method.typicality(new)
    told = method.of_subjects(whose.tolist()).typicality(new)
    assert kstest(told, "uniform").statistic < 0.12
    assert (told <= 0.05).mean() < 0.1
    assert (blind <= 0.05).mean() > 2 * max(0.05, (told <= 0.05).mean())


def test_a_subject_with_very_many_rows_has_the_weight_of_one():
    """The score is as high as that of one subject in four, whatever the number of its rows."""
    rows = np.array([[0.0], [1.0], [2.0], [10.0]])
    for counts in ([1, 1, 1, 1], [1, 1, 1, 50], [50, 1, 1, 1]):
        repeated, whose = sessions(rows, counts)
        method = KMeans(n_clusters=1).fit(repeated).of_subjects(whose.tolist())
        assert method.typicality()[-1] == 0.25
        assert method.typicality([[100.0]])[0] == pytest.approx(1 / 5)


def test_a_row_that_was_fitted_has_no_neighbour_in_its_own_subject():
    """A strange subject's second row, at the place of its first, is as strange as that one."""
    rows = np.concatenate([np.random.default_rng(3).normal(size=(40, 2)), [[9.0, 9.0]]])
    known = Calibration(rows, np.arange(41))
    own = known.score(rows[40:], np.array([40]))
    assert own == known.scores[known.order == 40]
    assert known.score(rows[40:])[0] == pytest.approx(own[0] * 4 / 5, rel=0.1)
    assert known.of_new(rows[40:], np.array([40])) == pytest.approx(2 / 42)
    np.testing.assert_array_equal(known.of_new(rows + 1, np.full(41, 99)), known.of_new(rows + 1))


def test_the_subjects_are_kept_with_the_model():
    rows, whose = sessions(in_groups(2, 9, 40)[0], 3, 0.3)
    method = make(2, 0).fit(rows).of_subjects(whose.tolist())
    again = make(2, 0).load_state(method.state())
    np.testing.assert_array_equal(again.typicality(rows + 1), method.typicality(rows + 1))
    np.testing.assert_array_equal(again.typicality(), method.typicality())
    assert "subjects" not in make(2, 0).fit(rows).state()


@pytest.mark.parametrize("m", [2, 3])
def test_bic_aic_gap_and_silhouette_of_repeated_scans_are_those_of_one_each(m):
    rows, _ = in_groups(3, 9, 48)
    rows = rows[:, :10]
    repeated, whose = sessions(rows, m)
    how = {"seed": 0, "generator": np.random.default_rng(1)}
    once = curves(make, rows, (1, 2, 3, 4), **how)
    how = {"seed": 0, "generator": np.random.default_rng(1)}
    several = curves(make, repeated, (1, 2, 3, 4), subjects=subjects_of(whose.tolist(), len(repeated)), **how)
    for name in ("inertia", "silhouette", "bic", "aic", "gap", "gap_error", "dirichlet_weights"):
        np.testing.assert_allclose(getattr(several, name), getattr(once, name), err_msg=name)


def test_bic_finds_no_more_clusters_because_people_were_scanned_often():
    """Ten sessions each are ten near rows: blind to subjects they are so many small clusters."""
    rows = np.random.default_rng(0).normal(size=(40, 2))
    repeated, whose = sessions(rows, 10, 0.02)
    told = choose_k(make, repeated, ks=range(1, 6), groups=whose.tolist())
    blind = curves(make, repeated, told.ks, seed=0, generator=np.random.default_rng(0))
    assert told.proposals["bic"] == 1
    assert told.ks[int(np.argmin(blind.bic))] > 1
