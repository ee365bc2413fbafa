"""Local features and their way back onto the scan."""

import numpy as np
import pytest
from helpers.healthy_arrays import healthy
from hypothesis import given
from hypothesis import strategies as st

from medunsup.anomaly.scores._local_features import every, local_features, spread_out
from medunsup.anomaly.smoothing import smooth_inside


def test_a_mirrored_scan_has_the_same_features_in_mirrored_places():
    values, mask = next(iter(healthy(1)))
    rows = np.zeros((*mask.shape, 8), np.float32)
    rows[mask] = local_features(values, mask, mask)
    mirrored = np.zeros_like(rows)
    turned = np.flip(mask, 0)
    mirrored[turned] = local_features(np.flip(values, 1), turned, turned)
    np.testing.assert_allclose(np.flip(mirrored, 0), rows, atol=1e-5)


def test_a_flat_scan_has_its_intensity_everywhere_and_no_spread():
    mask = next(iter(healthy(1)))[1]
    rows = local_features(np.full((1, *mask.shape), 0.7, np.float32) * mask, mask, mask)
    np.testing.assert_allclose(rows[:, [0, 1, 3]], 0.7, atol=1e-5)
    np.testing.assert_allclose(rows[:, [2, 4]], 0, atol=1e-5)


@given(st.floats(0.1, 4), st.floats(-100, 100))
def test_smoothing_inside_a_mask_keeps_a_constant_and_lets_nothing_in(sigma, level):
    mask = next(iter(healthy(1)))[1]
    polluted = np.where(mask, level, 1e6)[None]
    smooth = smooth_inside(polluted, mask, sigma)
    np.testing.assert_allclose(smooth[0][mask], level, rtol=1e-9, atol=1e-12)
    assert not smooth[0][~mask].any()


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_scores_on_a_coarser_grid_come_back_where_they_were(stride):
    mask = np.ones((13, 10, 7), bool)
    at = every(stride, mask)
    ramp = np.indices(mask.shape).sum(axis=0).astype(np.float32)
    filled = spread_out(ramp[at], at, mask, stride)
    np.testing.assert_allclose(filled[at], ramp[at], atol=1e-5)
    between = np.s_[: 10 // stride * stride, : 9 // stride * stride, : 6 // stride * stride]
    np.testing.assert_allclose(filled[between], ramp[between], atol=1e-4)
