"""Shares and targets of DEC equal NumPy's formulas; a centre without rows comes back."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from medunsup.clustering import DEC, IDEC, KMeansMLP, VaDE
from medunsup.clustering.deep import centres

RNG = np.random.default_rng(0)


def test_shares_are_students_t():
    codes, middles = RNG.normal(size=(7, 3)), RNG.normal(size=(4, 3))
    wanted = 1 / (1 + ((codes[:, None] - middles) ** 2).sum(-1))
    wanted /= wanted.sum(1, keepdims=True)
    found = centres.student_log_shares(torch.from_numpy(codes), torch.from_numpy(middles)).exp().numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_the_target_is_decs():
    q = RNG.dirichlet(np.ones(4), size=30)
    weights = q**2 / q.sum(0)
    wanted = weights / weights.sum(1, keepdims=True)
    np.testing.assert_allclose(centres.target(torch.from_numpy(q)).numpy(), wanted, atol=1e-9)


def test_the_target_holds_large_clusters_back():
    q = np.array([[0.6, 0.4]] * 9 + [[0.4, 0.6]])
    found = centres.target(torch.from_numpy(q)).numpy()
    squares = q**2 / (q**2).sum(1, keepdims=True)
    assert found[:, 0].sum() < squares[:, 0].sum()


def test_centres_without_rows_are_put_on_rows_that_differ():
    rows, _ = make_blobs(60, n_features=5, centers=3, random_state=0)
    method = DEC(n_clusters=3, pretrain_epochs=2, epochs=1).fit(rows)
    network = method._net.float()
    values = torch.from_numpy(method._values(np.repeat(rows, 2, axis=0))).float()
    with torch.no_grad():
        network.centres[1:] = 1e3  # far from all codes
    log_shares = centres.in_batches(network, values)
    assert set(log_shares.argmax(1).tolist()) == {0}
    centres._put_on_unsure_rows(network, values, log_shares, [1, 2])
    assert not torch.equal(network.centres[1], network.centres[2])
    assert len(set(centres.in_batches(network, values).argmax(1).tolist())) == 3


@pytest.mark.parametrize("cls", [DEC, IDEC, KMeansMLP])
def test_noise_about_clusters_is_seen_through(cls):
    rows, truth = make_blobs(300, n_features=3, centers=4, cluster_std=0.8, random_state=1)
    wide = np.hstack([rows, RNG.normal(size=(300, 6))])
    found = cls(n_clusters=4, pretrain_epochs=30, epochs=20, width=64).fit(wide)
    assert adjusted_rand_score(truth, found.labels_) > 0.8
    assert found.loss_curve_[29] < found.loss_curve_[0]


@pytest.mark.parametrize("cls", [DEC, VaDE])
def test_features_of_one_unit_keep_their_share_where_all_are_scaled_together(cls):
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 60)
    rows = np.column_stack([truth[:, None] * 6 + rng.normal(size=(120, 2)), rng.normal(0, 0.01, (120, 60))])
    fitted = cls(n_clusters=2, pretrain_epochs=20, epochs=5, width=32, scale="together").fit(rows)
    assert adjusted_rand_score(truth, fitted.labels_) > 0.85
    again = cls(n_clusters=2, pretrain_epochs=20, epochs=5, width=32, scale="together").fit(1024 * rows)
    np.testing.assert_array_equal(fitted.labels_, again.labels_)
