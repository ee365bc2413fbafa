"""InfoNCE between two views, against scikit-learn's and NumPy's arithmetic."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.metrics.pairwise import cosine_similarity

from medunsup.selfsupervised.losses.cross_view import cross_view


@given(st.integers(1, 9), st.integers(1, 7), st.integers(0, 10_000), st.sampled_from([0.05, 0.5]))
def test_it_is_the_mean_cross_entropy_of_rows_and_columns(n, d, seed, temperature):
    rng = np.random.default_rng(seed)
    (first, second), subjects = rng.normal(size=(2, n, d)), rng.integers(0, 4, n)
    logits = cosine_similarity(first, second) / temperature
    is_own = (subjects[:, None] == subjects) & ~np.eye(n, dtype=bool)
    logits[is_own] = -np.inf
    right = [np.diagonal(log_softmax(logits, axis=axis)).mean() for axis in (0, 1)]
    found = cross_view(
        torch.from_numpy(first),
        torch.from_numpy(second),
        temperature=temperature,
        subjects=torch.from_numpy(subjects),
    )
    assert float(found) == pytest.approx(-np.mean(right), abs=1e-9)


def test_views_that_are_told_apart_leave_no_loss_and_equal_ones_that_of_guessing():
    rows = torch.eye(6)
    assert float(cross_view(rows, rows, temperature=0.02)) < 1e-6
    assert float(cross_view(torch.ones(6, 3), torch.ones(6, 3))) == pytest.approx(math.log(6))
