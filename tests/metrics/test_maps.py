"""Trustworthiness and continuity of a map, against scikit-learn's and against what they must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness as reference

from medunsup.core.errors import ArrayError
from medunsup.metrics import maps
from medunsup.metrics.maps import continuity, trustworthiness, usual_neighbours


@settings(max_examples=25, deadline=None)
@given(st.integers(8, 60), st.integers(1, 6), st.integers(0, 10**6))
def test_both_equal_those_of_scikit_learn(n, features, seed):
    rng = np.random.default_rng(seed)
    rows, places = rng.normal(size=(n, features)), rng.normal(size=(n, 2))
    k = min(5, usual_neighbours(n))
    expected = reference(rows, places, n_neighbors=k), reference(places, rows, n_neighbors=k)
    found = trustworthiness(rows, places, neighbours=k), continuity(rows, places, neighbours=k)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_many_blocks_give_what_one_gives(monkeypatch):
    rng = np.random.default_rng(0)
    rows, places = rng.normal(size=(50, 4)), rng.normal(size=(50, 2))
    whole = trustworthiness(rows, places)
    monkeypatch.setattr(maps, "BLOCK", 120)
    assert trustworthiness(rows, places) == whole


def test_two_sheets_laid_on_one_another_are_not_trustworthy_but_continuous():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(60, 2))
    rows = np.column_stack([flat, np.repeat([0.0, 50.0], 30)])
    assert trustworthiness(rows, flat) < 0.9
    assert continuity(rows, flat) > trustworthiness(rows, flat) + 0.05


def test_a_line_torn_apart_is_trustworthy_but_not_continuous():
    line = np.arange(60.0)[:, None]
    torn = np.where(line % 2 == 0, line, line + 1000)
    assert trustworthiness(line, torn, neighbours=5) > continuity(line, torn, neighbours=5) + 0.05


def test_moved_turned_and_scaled_maps_are_as_good():
    rng = np.random.default_rng(1)
    rows, places = rng.normal(size=(40, 5)), rng.normal(size=(40, 2))
    turned = 7 + 3 * places @ np.array([[0.6, -0.8], [0.8, 0.6]])
    assert trustworthiness(rows, turned) == pytest.approx(trustworthiness(rows, places), abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "places", "k", "said"),
    [
        (np.ones((9, 2)), np.ones((8, 2)), 2, "a place a row"),
        (np.ones((9, 2)), np.ones((9, 2)), 5, "fewer than half"),
        (np.ones((9, 2)), np.full((9, 2), np.nan), 2, "finite"),
        (np.ones(9), np.ones((9, 2)), 2, "table"),
    ],
)
def test_what_has_no_answer_is_refused(rows, places, k, said):
    with pytest.raises(ArrayError, match=said):
        trustworthiness(rows, places, neighbours=k)


def test_two_rows_have_no_neighbours_to_compare():
    with pytest.raises(ArrayError, match="3 or more"):
        usual_neighbours(2)
