"""Losses of shares equal NumPy's formulas, and say what they should at their ends."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.special import logsumexp, softmax

from medunsup.clustering.deep import assignment_losses as losses
from medunsup.clustering.deep.frechet import frechet_distance

RNG = np.random.default_rng(0)


def shares(rows: int = 12, clusters: int = 4) -> np.ndarray:
    return softmax(RNG.normal(size=(rows, clusters)), axis=1)


def logs(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).log()


def test_marginal_entropy_is_that_of_the_mean():
    p = shares()
    mean = p.mean(axis=0)
    assert losses.marginal_entropy(logs(p)).item() == pytest.approx(-(mean * np.log(mean)).sum(), abs=1e-9)
    even = np.full((5, 4), 0.25)
    assert losses.marginal_entropy(logs(even)).item() == pytest.approx(np.log(4), abs=1e-9)


def test_consistency_is_minus_the_log_of_inner_products():
    p, q = shares(), shares()
    wanted = -np.log((p * q).sum(axis=1)).mean()
    assert losses.neighbour_consistency(logs(p), logs(q)).item() == pytest.approx(wanted, abs=1e-9)


def test_pointwise_information_of_independent_shares_is_zero():
    prior = shares(1)
    same = np.repeat(prior, 6, axis=0)
    found = losses.pointwise_information(logs(same), logs(same), logs(prior), 1.0)
    np.testing.assert_allclose(found.exp().numpy(), 1, atol=1e-9)
    p, q = shares(), shares()
    wanted = logsumexp(0.6 * (np.log(p) + np.log(q)) - np.log(prior), axis=1)
    given = losses.pointwise_information(logs(p), logs(q), logs(prior), 0.6)
    np.testing.assert_allclose(given.numpy(), wanted, atol=1e-9)


def test_confident_rows_weigh_by_class_and_others_do_not_count():
    logits = torch.from_numpy(RNG.normal(size=(6, 3)))
    labels = torch.tensor([0, 0, 0, 1, 2, 2])
    is_sure = torch.tensor([True, True, True, True, False, False])
    log_shares = logits - torch.logsumexp(logits, 1, keepdim=True)
    wanted = (-log_shares[:3, 0].mean() - log_shares[3, 1]) / 2
    torch.testing.assert_close(losses.confident_cross_entropy(logits, labels, is_sure), wanted)
    assert losses.confident_cross_entropy(logits, labels, is_sure & False) == 0


def test_adaptive_pairs_leave_out_the_undecided():
    p = shares(9, 3)
    unit = p / np.linalg.norm(p, axis=1, keepdims=True)
    cosine = unit @ unit.T
    some = []
    for i in range(9):
        for j in range(9):
            if i != j and cosine[i, j] >= 0.9:
                some.append(-np.log(min(cosine[i, j], 1 - 1e-6)))
            elif i != j and cosine[i, j] <= 0.7:
                some.append(-np.log(1 - cosine[i, j]))
    similarity = losses.pair_similarity(torch.from_numpy(p))
    assert losses.adaptive_pairs(similarity, 0.9, 0.7).item() == pytest.approx(np.mean(some), abs=1e-9)
    assert losses.adaptive_pairs(torch.full((3, 3), 0.8), 0.9, 0.7) == 0


def test_the_logistic_losses_meet_at_no_opinion():
    assert losses.is_real(torch.zeros(4)).item() == pytest.approx(np.log(2))
    assert losses.is_made(torch.tensor([-60.0])) < 1e-12
    assert losses.is_real(torch.tensor([-60.0])).item() == pytest.approx(60)


def test_the_frechet_distance_is_that_of_scipys_matrix_root():
    one, other = RNG.normal(size=(40, 3)), RNG.normal(size=(50, 3)) @ RNG.normal(size=(3, 3)) + 1
    a, b = np.cov(one.T), np.cov(other.T)
    wanted = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(one, other) == pytest.approx(wanted, rel=1e-9)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-7)
    assert frechet_distance(one[:, :1], one[:, :1] + 2) == pytest.approx(4)
