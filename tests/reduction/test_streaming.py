"""Rows in batches give what rows in memory give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.core.errors import ArrayError, UsageError
from medunsup.reduction import PCA, streaming
from medunsup.reduction.streaming import Moments, RowSample


def rows(n: int = 300, features: int = 6, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)) @ rng.normal(size=(features, features)) + 100


def parted(table: np.ndarray, *places: int):
    return lambda: np.split(table, places)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("whiten", [True, False])
def test_a_streamed_pca_is_that_of_all_rows(standardize, whiten):
    table = rows()
    config = {"n_components": 3, "standardize": standardize, "whiten": whiten}
    whole, streamed = PCA(**config).fit(table), PCA(**config).fit_stream(parted(table, 7, 150))
    for name in ("components_", "deviations_", "explained_", "embedding_"):
        np.testing.assert_allclose(getattr(streamed, name), getattr(whole, name), rtol=1e-8, atol=1e-9)
    new = rows(5, seed=1)
    np.testing.assert_allclose(streamed.transform(new), whole.transform(new), atol=1e-8)
    np.testing.assert_allclose(streamed.modes(), whole.modes(), atol=1e-8)
    np.testing.assert_allclose(streamed.typicality(new), whole.typicality(new))


@given(st.lists(st.integers(0, 300), max_size=6).map(sorted))
def test_batches_do_not_change_moments_nor_the_sample(places):
    table, moments, sample = rows(), Moments(), RowSample(40, 3)
    for batch in np.split(table, places):
        if len(batch):
            moments.add(batch)
        sample.add(batch)
    np.testing.assert_allclose(moments.mean, table.mean(axis=0))
    np.testing.assert_allclose(moments.covariance, np.cov(table.T, bias=True), rtol=1e-8, atol=1e-9)
    numbers, drawn = sample.drawn()
    whole = RowSample(40, 3)
    whole.add(table)
    np.testing.assert_array_equal(numbers, whole.drawn()[0])
    np.testing.assert_array_equal(drawn, table[numbers])


def test_each_row_is_as_likely_to_be_drawn():
    counts = np.zeros(50)
    for seed in range(2000):
        sample = RowSample(10, seed)
        for batch in np.split(np.arange(50.0)[:, None], 5):
            sample.add(batch)
        counts[sample.drawn()[0]] += 1
    assert abs(counts - 400).max() < 5 * np.sqrt(400 * 0.8)


def test_a_stream_keeps_a_sample_and_a_place_for_each_row(monkeypatch):
    monkeypatch.setattr("medunsup.reduction.methods.pca.SAMPLE", 50)
    table = rows()
    fitted = PCA().fit_stream(parted(table, 100, 200))
    assert fitted.embedding_.shape == (300, 2)
    assert len(fitted.state()["rows"]) == len(fitted.sample_) == 50
    places = fitted.transform(table[fitted.sample_])
    np.testing.assert_allclose(places, fitted.embedding_[fitted.sample_], atol=1e-9)
    spread = np.std(table, axis=0)
    expected = (table[fitted.sample_][:9] - table.mean(axis=0)) / spread
    np.testing.assert_allclose(fitted.scaled(np.arange(9)), expected, atol=1e-9)


def test_batches_that_cannot_be_used_are_refused_with_the_row():
    table = rows()
    table[210, 2] = np.nan
    with pytest.raises(ArrayError, match="Row 210 has NaN or inf in feature 2"):
        PCA().fit_stream(parted(table, 100, 200))
    with pytest.raises(ArrayError, match=r"rows \(n, 6\), not of the shape \(3, 5\)"):
        PCA().fit_stream(lambda: [rows(), np.ones((3, 5))])
    with pytest.raises(ArrayError, match="Constant in all 300 rows: feature 1"):
        PCA().fit_stream(parted(rows() * [1, 0, 1, 1, 1, 1]))
    with pytest.raises(ArrayError, match="holds no row"):
        PCA().fit_stream(list)
    with pytest.raises(ArrayError, match=f"a stream takes {streaming.MOST_FEATURES}"):
        PCA().fit_stream(lambda: [np.ones((2, streaming.MOST_FEATURES + 1))])
    with pytest.raises(UsageError, match="at least 3 distinct rows"):
        PCA().fit_stream(lambda: [rows(2)])
