"""Rows of one subject are no further subjects: verdicts and intervals are those of one row a subject."""

import numpy as np
import pytest
from helpers.feature_tables import groups as table
from helpers.made_cohorts import groups as in_groups
from helpers.made_cohorts import no_groups

import medunsup
from medunsup.clustering import KMeans, choose_k, site_signal
from medunsup.clustering.choosing.null import draw
from medunsup.clustering.choosing.valleys import valley_p
from medunsup.clustering.subjects import folds, halves, one_each, subjects_of
from medunsup.core.errors import ArrayError
from medunsup.metrics.group_effects import cramers_v, mean_difference, share_difference

SESSIONS = 3


def make(k: int, seed: int) -> KMeans:
    return KMeans(n_clusters=k, n_init=3, seed=seed)


def thrice(rows: np.ndarray, noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Each row as three sessions of a subject."""
    generator = np.random.default_rng(seed)
    repeated = np.repeat(rows, SESSIONS, axis=0)
    names = [f"sub-{n}" for n in np.repeat(np.arange(len(rows)), SESSIONS)]
    return repeated + noise * generator.normal(size=repeated.shape), names


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["isotropic", "gradient"])
def test_sessions_make_no_clusters_where_subjects_have_none(kind, noise):
    rows, names = thrice(no_groups(kind, 24)[:, :20], noise)
    assert choose_k(make, rows, ks=(2, 3), with_curves=False, groups=names).k == 1


def test_sessions_make_a_valley_no_surer():
    """Of a weak valley: told three times over it looks sure, with subjects known as sure as told once."""
    once, blind, told = [], [], []
    for seed in range(6):
        generator = np.random.default_rng(seed)
        rows = generator.normal(size=(40, 2)) + 4 * (np.arange(40) % 2)[:, None] * [1, 0]
        repeated, names = thrice(rows)
        subjects = subjects_of(names, len(repeated))
        once.append(valley_p(make, rows, 2, seed=0, generator=generator))
        blind.append(valley_p(make, repeated, 2, seed=0, generator=generator))
        told.append(valley_p(make, repeated, 2, seed=0, generator=generator, subjects=subjects))
    assert np.mean(blind) < 0.5 * np.mean(once)
    assert np.mean(told) > 0.8 * np.mean(once)


def test_subjects_in_groups_are_still_found():
    rows, _ = in_groups(2, 9, 48)
    repeated, names = thrice(rows, 0.2)
    assert choose_k(make, repeated, ks=(2, 3), with_curves=False, groups=names).k == 2


def test_halves_and_folds_take_whole_subjects():
    subjects = subjects_of(["a", "b", "a", "c", "b", "a", "", ""], 8)
    assert subjects.tolist() == [0, 1, 0, 2, 1, 0, 3, 4]
    for seed in range(20):
        generator = np.random.default_rng(seed)
        first, second = (set(subjects[half].tolist()) for half in halves(8, subjects, generator))
        assert not first & second
        assert first | second == {0, 1, 2, 3, 4}
        fold = folds(8, subjects, 2, generator)
        assert all(len(set(fold[subjects == one].tolist())) == 1 for one in range(5))
        marked = subjects[one_each(8, subjects, generator)]
        assert sorted(marked.tolist()) == [0, 1, 2, 3, 4]


def test_a_row_by_itself_is_a_subject_and_names_must_fit():
    assert subjects_of(["a", "b", "", ""], 4) is None
    assert subjects_of(["a", "b", "n/a", "n/a", None, None, float("nan"), float("nan")], 8) is None
    assert subjects_of(["n/a", "a", "n/a", "a"], 4).tolist() == [0, 1, 2, 1]
    with pytest.raises(ArrayError, match="4 are needed, not 3"):
        subjects_of(["a", "b", "c"], 4)
    with pytest.raises(ArrayError, match="16 subjects are needed, not 8"):
        choose_k(make, np.random.default_rng(0).normal(size=(24, 2)), groups=np.repeat(np.arange(8), 3))


@pytest.mark.parametrize("kind", ["gaussian", "shuffled"])
def test_draws_without_clusters_keep_how_alike_the_rows_of_a_subject_are(kind):
    rows, names = thrice(np.random.default_rng(0).normal(size=(200, 3)), 0.5, seed=1)
    subjects = subjects_of(names, len(rows))

    def within(of):
        return float(np.mean([of[subjects == one].var(axis=0, ddof=1) for one in range(200)]))

    drawn = draw(kind, rows, np.random.default_rng(2), subjects)
    assert within(drawn) == pytest.approx(within(rows), rel=0.1)
    assert drawn.var() == pytest.approx(rows.var(), rel=0.15)


def test_effects_of_sessions_are_those_of_subjects():
    generator = np.random.default_rng(0)
    inside = np.arange(40) < 15
    ages = generator.normal(60, 8, 40) + 6 * inside
    is_woman = generator.random(40) < 0.3 + 0.4 * inside
    whose = np.repeat(np.arange(40), SESSIONS)
    for measure, values in ((mean_difference, ages), (share_difference, is_woman)):
        once = measure(values, inside)
        several = measure(values[whose], inside[whose], subjects=whose)
        blind = measure(values[whose], inside[whose])
        assert (several.value, several.low, several.high) == pytest.approx((once.value, once.low, once.high))
        assert several.n == once.n == 40
        assert blind.high - blind.low < 0.7 * (once.high - once.low)
    once, several = cramers_v(inside, is_woman), cramers_v(inside[whose], is_woman[whose], subjects=whose)
    assert several.value == pytest.approx(once.value)
    assert several.high - several.low > 0.9 * (once.high - once.low)


def test_a_subject_whose_rows_lie_in_both_groups_counts_once_in_each():
    values, inside = [1.0, 3.0, 5.0, 7.0, 100.0], [1, 1, 0, 0, 0]
    found = mean_difference(values, inside, subjects=["a", "b", "a", "b", "b"])
    low, high = np.array([1.0, 3.0]), np.array([5.0, 53.5])
    assert np.sign(found.value) == np.sign(low.mean() - high.mean())
    assert found.n == 2


@pytest.mark.parametrize(("n", "is_told"), [(5, False), (6, True)])
def test_an_interval_of_few_rows_is_not_given(n, is_told):
    values = np.arange(20.0) % 7
    found = mean_difference(values, np.arange(20) < n)
    assert np.isfinite(found.value)
    assert np.isfinite(found.low) == is_told


def test_sessions_do_not_make_a_scanner_surer_to_tell():
    generator = np.random.default_rng(2)
    sites = np.array(["A", "B"] * 15)
    rows = generator.normal(size=(30, 4)) + 0.8 * (sites == "B")[:, None]
    repeated, names = thrice(rows)
    once = site_signal(rows, sites.tolist()).before
    told = site_signal(repeated, np.repeat(sites, SESSIONS).tolist(), groups=names).before
    blind = site_signal(repeated, np.repeat(sites, SESSIONS).tolist()).before
    assert told.high - told.low == pytest.approx(once.high - once.low, rel=0.1)
    assert told.n == once.n == 30
    assert blind.value > once.value  # it knows the subject from another session


def test_people_scanned_at_every_site_are_no_hindrance():
    rows = np.repeat(np.random.default_rng(0).normal(size=(20, 3)), 2, axis=0)
    sites, names = ["A", "B"] * 20, np.repeat(np.arange(20), 2).tolist()
    rows[1::2] += 3
    assert site_signal(rows, sites, groups=names).is_there_before


def test_a_table_of_three_sessions_each_says_no_more_than_one_of_one():
    once, quick = table(36, apart=8.0), {"method": "kmeans", "k": 2, "seeds": 1, "umap": False}
    which = np.repeat(np.arange(36), SESSIONS)
    several = medunsup.FeatureTable(
        once.values[which],
        once.names,
        {"subject": [once.keys["subject"][n] for n in which]},
        {name: [of[n] for n in which] for name, of in once.covariates.items()},
    )
    first, second = (medunsup.cluster(each, **quick) for each in (once, several))
    np.testing.assert_array_equal(second.labels, first.labels[which])
    assert first.choice.k == second.choice.k == 2
    for one, other in zip(first.effects, second.effects, strict=True):
        assert (one.covariate, one.level, one.n) == (other.covariate, other.level, other.n)
        assert other.value == pytest.approx(one.value, abs=1e-6)
        if np.isfinite(one.low):
            assert other.high - other.low > 0.9 * (one.high - one.low)
