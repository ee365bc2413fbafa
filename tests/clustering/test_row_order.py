"""Rows are sorted by their first feature, ties by the next: NumPy's own order of all features."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medunsup.clustering.row_order import row_order


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 5), st.integers(1, 30))
def test_the_order_is_that_of_lexsort(seed, n, d, words):
    rows = np.random.default_rng(seed).integers(-words, words, size=(n, d)).astype(np.float64)
    np.testing.assert_array_equal(row_order(rows), np.lexsort(rows.T[::-1]))
