"""What every reduction keeps."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from medunsup.core.errors import ArrayError, UsageError
from medunsup.core.registry import method, methods

NAMES = [card.name for card in methods("reduction")]
QUICK = {
    "autoencoder": {"width": 8, "layers": 1, "epochs": 2},
    "tsne": {"epochs": 40},
    "umap": {"epochs": 20},
    "mds": {"steps": 30},
}
NEW_LIKE_OLD = {"tsne": 0.05}  # of the map: how far a row may lie from a fitted one that it nearly equals
EXPECTED = {"tsne": {"check_fit2d_1sample": "it sets a perplexity of 0.5, which is out of bounds"}}
SLOW = {"umap", "autoencoder", "tsne"}

every = pytest.mark.parametrize("name", NAMES)


def made(name: str, **parameters):
    return method("reduction", name)(**{**QUICK.get(name, {}), **parameters})


def rows(n: int = 40, *, seed: int = 0) -> np.ndarray:
    """Two groups in six features of different scales, related to one another."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 6)) @ rng.normal(size=(6, 6))
    values[: n // 2] += 3
    return values * [1, 10, 0.1, 1, 100, 1] + [0, 5, 0, 1000, 0, 0]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NAMES]
)
@pytest.mark.filterwarnings("ignore")
def test_of_scikit_learns_checks_only_those_listed_fail(name):
    results = check_estimator(made(name), expected_failed_checks=EXPECTED.get(name), on_fail=None)
    failed = {one["check_name"]: one["exception"] for one in results if one["status"] == "failed"}
    assert failed == {}
    assert {one["check_name"] for one in results if one["status"] == "xfail"} == set(EXPECTED.get(name, ()))


@every
def test_parameters_are_those_of_the_config_with_the_same_defaults(name):
    cls = method("reduction", name)
    given = inspect.signature(cls.__init__).parameters
    defaults = {key: one.default for key, one in given.items() if key != "self"}
    assert defaults == {key: field.default for key, field in cls.Config.model_fields.items()}
    assert all(one.kind == one.KEYWORD_ONLY for key, one in given.items() if key != "self")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "umap")) for name in NAMES]
)
def test_another_order_of_the_rows_moves_the_rows_of_the_embedding_alone(name):
    table, order = rows(), np.random.default_rng(1).permutation(40)
    one, other = made(name).fit(table), made(name).fit(table[order])
    np.testing.assert_array_equal(other.embedding_, one.embedding_[order])
    np.testing.assert_array_equal(other.transform(rows(5, seed=2)), one.transform(rows(5, seed=2)))


@every
def test_float32_rows_are_placed_as_the_same_numbers_in_float64(name):
    table = rows().astype(np.float32)
    one, other = made(name).fit(table), made(name).fit(table.astype(np.float64))
    np.testing.assert_array_equal(one.embedding_, other.embedding_)


@every
def test_a_new_row_lies_alone_where_it_lies_among_others_to_the_last_bit(name):
    fitted, new = made(name).fit(rows()), rows(6, seed=3)
    together = fitted.transform(new)
    assert np.isfinite(together).all()
    for row, place in zip(new, together, strict=True):
        np.testing.assert_array_equal(fitted.transform(row[None])[0], place)


@every
def test_a_fitted_row_stays_where_it_is_and_one_nearly_like_it_lies_beside_it(name):
    table = rows()
    fitted = made(name).fit(table)
    np.testing.assert_array_equal(fitted.transform(table), fitted.embedding_)
    nearly = fitted.transform(table[:5] + 1e-7 * table.std(axis=0))
    assert np.abs(nearly - fitted.embedding_[:5]).max() <= NEW_LIKE_OLD.get(name, 1e-5) * np.ptp(
        fitted.embedding_
    )


@every
def test_equal_rows_share_a_place_and_are_counted(name):
    table = rows()
    twice = np.concatenate([table, table[3:4], table[3:4], table[7:8]])
    fitted = made(name).fit(twice)
    np.testing.assert_array_equal(fitted.embedding_[[40, 41, 42]], fitted.embedding_[[3, 3, 7]])
    assert any(one.startswith("3 rows are equal") for one in fitted.remarks_)
    assert len(fitted._places) == 40


@every
def test_the_seed_decides_where_there_is_one(name):
    table = rows()
    one, again = made(name).fit(table), made(name).fit(table)
    np.testing.assert_array_equal(one.embedding_, again.embedding_)
    if "seed" in one.get_params():
        assert not np.array_equal(made(name, seed=1).fit(table).embedding_, one.embedding_)


@every
def test_units_of_the_features_do_not_matter_where_they_are_standardised(name):
    """Powers of two change no bit of what is computed."""
    table = rows()
    one, other = made(name).fit(table), made(name).fit(table * [1, 2, 4, 0.5, 8, 1])
    np.testing.assert_allclose(one.embedding_, other.embedding_, rtol=1e-6, atol=1e-9)


@every
def test_groups_far_apart_stay_apart(name):
    table = rows()
    table[:20] += 60 * table.std(axis=0)
    places = made(name, **({"epochs": 200} if name in QUICK and name != "mds" else {})).fit(table).embedding_
    first, second = places[:20], places[20:]
    between = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    within = max(np.linalg.norm(one - one.mean(axis=0), axis=1).mean() for one in (first, second))
    assert between > 2 * within


@every
def test_what_was_learned_survives_the_state_and_a_pickle(name):
    fitted, new = made(name).fit(rows()), rows(4, seed=3)
    again = made(name).load_state(fitted.state())
    np.testing.assert_array_equal(again.transform(new), fitted.transform(new))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(new), fitted.transform(new))


@every
def test_columns_are_named_after_the_method(name):
    fitted = made(name).fit(rows())
    assert fitted.get_feature_names_out().tolist() == [f"{name.replace('_', '')}{n}" for n in (0, 1)]
    assert fitted.placement_ in ("exact", "neighbours")


@every
def test_rows_that_say_nothing_are_refused_by_row_and_feature(name):
    broken, constant = rows(), rows()
    broken[5, 2] = np.nan
    constant[:, [1, 4]] = 7.0
    with pytest.raises(ArrayError, match="Row 5 has NaN or inf in feature 2"):
        made(name).fit(broken)
    with pytest.raises(ArrayError, match="Constant in all 40 rows: feature 1, 4"):
        made(name).fit(constant)
    fitted = made(name).fit(rows())
    with pytest.raises(ArrayError, match="Row 5"):
        fitted.transform(broken)
    with pytest.raises(ArrayError, match="expecting 6 features"):
        fitted.transform(rows()[:, :5])


@every
def test_with_the_least_number_of_rows_there_is_a_map_and_with_one_less_a_word(name):
    cls = method("reduction", name)
    least = made(name)._least_rows(cls.Config())
    assert np.isfinite(made(name).fit(rows(least)).embedding_).all()
    with pytest.raises(UsageError, match=f"{name} needs at least {least} distinct rows"):
        made(name).fit(np.repeat(rows(least)[1:], 2, axis=0))


@every
def test_parameters_out_of_bounds_are_refused_by_name(name):
    with pytest.raises(UsageError, match=f"{name}: n_components"):
        made(name, n_components=0).fit(rows())
