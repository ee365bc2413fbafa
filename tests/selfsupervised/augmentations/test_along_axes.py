"""Facts of products along axes."""

import torch
from helpers.views import generator
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.selfsupervised.augmentations.along_axes import along_axes

NAMES = {4: "bcij,bxi,byj->bcxy", 5: "bcijk,bxi,byj,bzk->bcxyz"}


@given(
    sides=st.lists(st.tuples(st.integers(1, 70), st.integers(1, 70)), min_size=2, max_size=3),
    zeros=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
@settings(max_examples=30, deadline=None)
def test_they_are_the_sum_over_voxels(sides, zeros, seed):
    """Also of matrices with rows of zeros, and of more rows than one block."""
    drawn = generator(seed)
    values = torch.rand(2, 2, *(side for side, _ in sides), generator=drawn)
    matrices = [torch.rand(2, new, side, generator=drawn) - 0.5 for side, new in sides]
    matrices = [matrix * (torch.rand(matrix.shape, generator=drawn) > zeros) for matrix in matrices]
    expected = torch.einsum(NAMES[values.ndim], values.double(), *(one.double() for one in matrices))
    done = along_axes(values, matrices)
    assert done.shape == expected.shape
    torch.testing.assert_close(done.double(), expected, atol=1e-3, rtol=1e-4)


def test_without_matrices_nothing_happens():
    values = torch.rand(1, 1, 4, 4)
    assert along_axes(values, []) is values
