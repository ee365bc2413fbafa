"""Facts of the grid that the random field lives on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.tissue.em.markov_random_field import RandomField, checkerboard

shapes = st.tuples(*[st.integers(1, 7)] * 3)


@settings(deadline=None)
@given(shape=shapes, seed=st.integers(0, 999))
def test_no_two_neighbours_share_a_colour(shape, seed):
    index = np.flatnonzero(np.random.default_rng(seed).random(int(np.prod(shape))) < 0.8)
    colours = np.full(shape, -1)
    colours.flat[index] = checkerboard(index, shape)
    for axis in range(3):
        ahead, behind = np.moveaxis(colours, axis, 0)[1:], np.moveaxis(colours, axis, 0)[:-1]
        both = (ahead >= 0) & (behind >= 0)
        assert (ahead != behind)[both].all()


@settings(deadline=None)
@given(shape=shapes, seed=st.integers(0, 999))
def test_pull_is_the_weighted_sum_of_the_six_neighbours(shape, seed):
    rng = np.random.default_rng(seed)
    inside = rng.random(shape) < 0.8
    index = np.flatnonzero(inside).astype(np.int32)
    spacing = (1.0, 2.0, 4.0)
    field = RandomField(index, shape, 0.3, spacing)
    box = rng.random((2, *shape)).astype(np.float32) * inside
    fractions = field.no_fractions(2)
    fractions[:, field.sites] = box.reshape(2, -1)[:, index]
    padded = np.pad(box, [(0, 0), (1, 1), (1, 1), (1, 1)])
    wanted = np.zeros_like(box)
    for axis, length in enumerate(spacing, start=1):
        for shift in (-1, 1):
            wanted += 0.3 / length * np.roll(padded, shift, axis)[:, 1:-1, 1:-1, 1:-1]
    pull = field.pull(fractions, np.arange(index.size, dtype=np.int32))
    np.testing.assert_allclose(pull, wanted.reshape(2, -1)[:, index], atol=1e-6)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 6.0), (0.5, 0.5, 0.5)])
def test_a_longer_gap_pulls_less(spacing):
    field = RandomField(np.array([0], dtype=np.int32), (1, 1, 1), 0.4, spacing)
    assert field.strengths[0] == pytest.approx(0.4)
    assert field.strengths[2] == pytest.approx(0.4 * spacing[0] / spacing[2])
