"""What every clustering method keeps."""

import warnings

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

from medunsup.core.errors import ArrayError, UsageError
from medunsup.core.registry import method, methods

NAMES = [card.name for card in methods("clustering")]
FREE = {"hdbscan", "dbn_nmmc"}  # find their number themselves
ALL_NOISE = "all rows of the check are noise, of which no cluster has a share"
BY_CHANCE = "the game of its networks may merge the three clusters of the check"
EXCEPTIONS = {
    "dac_adversarial": {"check_clustering": BY_CHANCE},
    "infogan": {"check_clustering": BY_CHANCE},
    "hdbscan": {
        "check_estimators_dtypes": ALL_NOISE,
        "check_methods_sample_order_invariance": ALL_NOISE,
        "check_methods_subset_invariance": ALL_NOISE,
        "check_dict_unchanged": ALL_NOISE,
    },
}
QUICK = {  # enough where it does not matter which clusters are found
    "turtle": {"iterations": 20, "inner_steps": 3},
    "temi": {"iterations": 20, "heads": 2, "hidden": 8},
    "scan": {"epochs": 3, "label_epochs": 1, "hidden": 8},
    "catgan": {"epochs": 20, "width": 16},
    "dac_adaptive": {"epochs": 20, "width": 16},
    **{name: {"epochs": 1, "width": 8} for name in ("dac_adversarial", "infogan", "gan")},
    **{
        name: {"pretrain_epochs": 5, "epochs": 3, "width": 16}
        for name in ("dec", "idec", "kmeans_mlp", "vade")
    },
    "n2d": {"pretrain_epochs": 5, "width": 16},
    "dbn_nmmc": {"epochs": 3, "width": 8},
}
UNSURE = {"dac_adversarial", "infogan"}  # the game of their networks may merge what is far apart
SLOW = {"n2d"}  # compiles what its map needs


def names_of(names: list[str], slow: set[str]):
    """Every name is a case; those that take long run with the slow tests."""
    marks = {True: [pytest.mark.slow], False: []}
    return pytest.mark.parametrize("name", [pytest.param(one, marks=marks[one in slow]) for one in names])


every = names_of(NAMES, SLOW)
that_is_told = names_of(sorted(set(NAMES) - FREE - UNSURE - {"toy_halves"}), SLOW)


def make(name: str, n_clusters: int | None = 3, **given):
    return method("clustering", name)(n_clusters=n_clusters, **{**QUICK.get(name, {}), **given})


def make_fully(name: str, n_clusters: int | None = 3):
    return method("clustering", name)(n_clusters=n_clusters)


def blobs(n: int = 90, centres: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    middles = np.array([[0.0, 0, 0, 0], [12, 0, 6, 0], [24, 12, 0, 0]])[:centres]
    return make_blobs(n, centers=middles, cluster_std=1.0, random_state=seed)


@names_of(NAMES, set(QUICK))
def test_scikit_learn_has_nothing_to_say_against_it(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(
            method("clustering", name)(**QUICK.get(name, {})),
            expected_failed_checks=EXCEPTIONS.get(name, {}),
            on_skip=None,
        )
    assert {one["check_name"] for one in found if one["status"] == "xfail"} == set(EXCEPTIONS.get(name, {}))


@every
def test_keywords_are_those_of_the_config(name):
    cls = method("clustering", name)
    assert cls().get_params() == cls.Config().model_dump()


@that_is_told
def test_clusters_far_apart_are_found_in_fitted_and_new_rows(name):
    rows, truth = blobs()
    fitted = make_fully(name).fit(rows)
    assert adjusted_rand_score(truth, fitted.labels_) == 1
    new, of_new = blobs(30, seed=1)
    assert adjusted_rand_score(of_new, fitted.predict(new)) == 1


@every
@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_rows_permutes_labels_and_nothing_else(name, seed):
    rows = np.random.default_rng(seed).normal(size=(70, 3)).round(1)  # no structure, and ties
    rows = np.concatenate([rows, rows[:5]])
    order = np.random.default_rng(seed).permutation(len(rows))
    one, other = make(name, 4).fit(rows), make(name, 4).fit(rows[order])
    np.testing.assert_array_equal(one.labels_[order], other.labels_)
    np.testing.assert_array_equal(one.labels_[:5], one.labels_[70:])


@every
def test_fitted_rows_are_predicted_as_they_are_labelled(name):
    rows, _ = blobs(centres=2)
    fitted = make(name, 4).fit(rows)
    np.testing.assert_array_equal(fitted.predict(rows), fitted.labels_)


@every
def test_labels_are_in_the_order_of_sizes(name):
    rows, truth = blobs()
    fitted = make(name).fit(np.concatenate([rows, rows[truth == 1], rows[truth == 1], rows[truth == 2]]))
    sizes = np.bincount(fitted.labels_[fitted.labels_ >= 0], minlength=fitted.n_clusters_)
    assert len(sizes) == fitted.n_clusters_
    assert (np.diff(sizes) <= 0).all()


@every
def test_shares_sum_to_1_and_do_not_depend_on_the_rows_beside(name):
    rows, _ = blobs()
    new = np.random.default_rng(0).uniform(-5, 25, (12, 4))
    fitted = make(name).fit(rows)
    together = fitted.predict_proba(new)
    assert together.shape == (12, fitted.n_clusters_)
    assert (together >= 0).all()
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-12)
    alone = np.concatenate([fitted.predict_proba(one[None]) for one in new])
    np.testing.assert_allclose(alone, together, atol=1e-12)
    clear = (fitted.predict(new) >= 0) & (together.max(axis=1) > 0.6)
    np.testing.assert_array_equal(together.argmax(axis=1)[clear], fitted.predict(new)[clear])


@every
def test_typicality_of_new_rows_is_even_and_small_far_away(name):
    rows, _ = make_blobs(500, centers=[[0.0] * 3, [15.0] * 3], random_state=0)
    new, _ = make_blobs(500, centers=[[0.0] * 3, [15.0] * 3], random_state=1)
    fitted = make(name, 2).fit(rows)
    found = fitted.typicality(new)
    assert ((found > 0) & (found <= 1)).all()
    if not (fitted.labels_ < 0).any():  # noise leaves the denser rows to clusters
        assert kstest(found, "uniform").statistic < 0.12
    assert fitted.typicality([[7.0, -20.0, 7.0]])[0] < 0.02
    own = fitted.typicality()
    assert own.shape == (500,)
    assert 0.4 < own[fitted.labels_ >= 0].mean() < 0.6


@every
def test_same_seed_gives_the_same_and_units_change_nothing(name):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    one = make(name, 3, seed=5).fit(rows)
    np.testing.assert_array_equal(one.labels_, clone(one).fit(rows).labels_)
    np.testing.assert_array_equal(one.labels_, clone(one).fit(rows * 4096).labels_)


@every
def test_more_clusters_than_rows_are_refused_in_words(name):
    with pytest.raises(ArrayError, match=r"8 clusters were asked of 5 rows.*n_clusters=5"):
        make(name, 8).fit(np.arange(10.0).reshape(5, 2))


@every
def test_one_row_and_what_is_not_finite_are_refused_in_words(name):
    with pytest.raises(ValueError, match="1 sample"):
        make(name, 1).fit([[1.0, 2.0]])
    rows = np.zeros((6, 2))
    rows[4, 1] = np.nan
    with pytest.raises(ArrayError, match="NaN or inf: row 4, feature 1"):
        make(name, 2).fit(rows)


@every
def test_constant_features_change_nothing(name):
    rows, _ = blobs()
    wider = np.column_stack([rows, np.full(len(rows), 3.0)])
    np.testing.assert_array_equal(make(name).fit(rows).labels_, make(name).fit(wider).labels_)


@every
def test_equal_rows_are_one_cluster_and_that_is_told(name):
    fitted = make(name, 3).fit(np.ones((20, 3)))
    assert fitted.labels_.tolist() == [0] * 20
    assert "1" in fitted.remarks_[0]
    assert fitted.predict([[5.0, 5.0, 5.0]]).tolist() == [0]
    assert fitted.typicality([[1.0, 1.0, 1.0]]) == 1


@that_is_told
def test_fewer_rows_that_differ_than_clusters_is_told(name):
    rows = np.repeat([[0.0, 0.0], [1.0, 5.0], [9.0, 0.0]], 8, axis=0)
    fitted = make_fully(name, 5).fit(rows)
    assert adjusted_rand_score(np.repeat([0, 1, 2], 8), fitted.labels_) == 1
    assert "Only 3 rows differ" in fitted.remarks_[0]


@every
def test_a_wrong_parameter_is_named_at_the_fit(name):
    with pytest.raises(UsageError, match="seed"):
        make(name, seed=-1).fit([[0.0], [1.0]])
