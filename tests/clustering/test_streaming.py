"""Mini-batch k-means of rows in batches finds what it finds in memory."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from medunsup.clustering import KMeans, MiniBatchKMeans
from medunsup.core.errors import ArrayError, UsageError


def blobs(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    return make_blobs(n, centers=[[0, 0], [8, 0], [0, 8], [9, 9]], cluster_std=1, random_state=0)


def parted(table: np.ndarray, n: int = 7):
    return lambda: np.array_split(table, n)


def test_streamed_clusters_are_nearly_those_of_k_means():
    table, _ = blobs()
    streamed = MiniBatchKMeans(n_clusters=4).fit_stream(parted(table))
    whole = KMeans(n_clusters=4).fit(table)
    assert streamed.inertia_ < 1.02 * whole.inertia_
    assert adjusted_rand_score(streamed.labels_, whole.labels_) > 0.99
    assert (np.diff(np.bincount(streamed.labels_)) <= 0).all()


def test_a_sorted_file_gives_no_other_clusters():
    table, truth = blobs()
    order = np.argsort(truth, kind="stable")
    fitted = MiniBatchKMeans(n_clusters=4).fit_stream(parted(table[order], 40))
    assert adjusted_rand_score(fitted.labels_, truth[order]) > 0.98


def test_labels_are_what_predict_says_and_the_sample_stands_for_all(monkeypatch):
    monkeypatch.setattr("medunsup.clustering.methods.minibatch_kmeans.SAMPLE", 500)
    table, _ = blobs()
    fitted = MiniBatchKMeans(n_clusters=4).fit_stream(parted(table))
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(table))
    assert len(fitted.sample_) == 500 < len(fitted.labels_)
    usual = fitted.typicality(np.delete(table, fitted.sample_, axis=0))
    assert abs((usual <= 0.1).mean() - 0.1) < 0.03
    assert fitted.typicality([[40.0, 40.0]])[0] < 0.02
    with pytest.raises(UsageError, match="Not all rows of a stream are kept"):
        fitted.typicality()


def test_the_same_seed_gives_the_same_bits():
    table, _ = blobs()
    one, other = (MiniBatchKMeans(n_clusters=4, seed=1).fit_stream(parted(table)) for _ in range(2))
    np.testing.assert_array_equal(one.cluster_centers_, other.cluster_centers_)


def test_what_cannot_be_clustered_is_refused_or_told():
    with pytest.raises(ArrayError, match="5 clusters were asked of 3 rows"):
        MiniBatchKMeans(n_clusters=5).fit_stream(lambda: [np.eye(3)])
    with pytest.raises(ArrayError, match="Row 1 has NaN"):
        MiniBatchKMeans().fit_stream(lambda: [[[1.0]], [[np.nan]]])
    same = MiniBatchKMeans(n_clusters=3).fit_stream(lambda: [np.repeat(np.eye(2), 9, axis=0)])
    assert same.n_clusters_ == 2
    assert "Only 2 rows differ" in same.remarks_[0]
