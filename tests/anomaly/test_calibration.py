"""Thresholds from healthy scans: exact where theory is exact, refused where the scans are too few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.anomaly.calibration import Calibration, calibrate
from medunsup.core.errors import InputError, UsageError
from medunsup.metrics.components import components

SHAPE = (9, 8, 5)
MASK = np.ones(SHAPE, bool)
MASK[0] = False


def maps(n, seed=0):
    return list(np.random.default_rng(seed).gamma(2, size=(n, *SHAPE)).astype(np.float32) * MASK)


def calibrated(n, seed=0, min_cluster_mm3=0.0):
    score_maps = maps(n, seed)
    scores = [float(one.max()) for one in score_maps]
    return calibrate(
        score_maps, [MASK] * n, scores, voxel_mm3=8.0, min_cluster_mm3=min_cluster_mm3
    ), score_maps


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 25), st.floats(5, 15), st.floats(0, 1))
def test_p_value_and_threshold_tell_the_same(n, score, share):
    calibration = calibrated(n)[0]
    least = 1 / (n + 1)
    alpha = min(least + share * (1 - least), 0.99)
    assert (calibration.p_value(score) <= alpha) == (score > calibration.scan_threshold(alpha))


def test_p_value_is_never_below_one_in_n_plus_one_nor_above_one():
    calibration = calibrated(4)[0]
    assert calibration.p_value(np.inf) == 1 / 5
    assert calibration.p_value(-np.inf) == 1


def test_too_small_a_rate_is_refused_with_the_least_rate_and_the_scans_it_needs():
    with pytest.raises(UsageError, match=r"3 healthy calibration scans.*0\.25 or more.*at least 19 scans"):
        calibrated(3)[0].scan_threshold(0.05)
    with pytest.raises(UsageError, match="between 0 and 1"):
        calibrated(3)[0].scan_threshold(1.0)


@pytest.mark.parametrize("share", [0.08, 0.03, 0.0])
def test_voxel_budget_is_kept_with_the_worst_scan_counted_twice_and_nearly_used_up(share):
    calibration, score_maps = calibrated(5)
    threshold = calibration.voxel_threshold(share)
    marked = [(one[MASK] > threshold).mean() for one in score_maps]
    assert 0.8 * share - 1 / MASK.sum() <= np.mean([*marked, max(marked)]) <= share


def test_voxel_budget_with_a_rate_is_kept_by_all_but_that_share_of_scans():
    calibration, score_maps = calibrated(9)
    threshold = calibration.voxel_threshold(0.02, alpha=0.2)
    assert sum((one[MASK] > threshold).mean() > 0.02 for one in score_maps) <= 1


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("least_mm3", [0, 16])
def test_part_budget_is_kept_at_the_threshold_and_above(count, least_mm3):
    calibration, score_maps = calibrated(5, min_cluster_mm3=least_mm3)
    threshold = calibration.component_threshold(count)
    for higher in (threshold, 1.01 * threshold, 1.1 * threshold):
        parts = [
            components((one > higher) & MASK, voxel_mm3=8.0, least_mm3=least_mm3)[1] for one in score_maps
        ]
        assert np.mean(parts) <= count


def test_a_larger_budget_never_asks_for_a_higher_threshold():
    calibration = calibrated(6)[0]
    by_share = [calibration.voxel_threshold(share) for share in (0, 0.001, 0.01, 0.1)]
    by_parts = [calibration.component_threshold(count) for count in (0, 0.5, 1, 3, 10)]
    assert by_share == sorted(by_share, reverse=True)
    assert by_parts == sorted(by_parts, reverse=True)


@pytest.mark.parametrize("count", [-1, 101, float("nan")])
def test_a_number_of_components_that_cannot_be_promised_is_refused(count):
    with pytest.raises(UsageError, match=f"from 0 to 100; {count:g} was asked for"):
        calibrated(2)[0].component_threshold(count)


def test_calibrated_map_is_minus_log10_of_the_share_of_healthy_voxels():
    calibration, score_maps = calibrated(8)
    pooled = np.concatenate([one[MASK] for one in score_maps])
    seen = np.zeros(SHAPE, np.float32)
    seen[1, 0, :4] = np.quantile(pooled, [0.5, 0.9, 0.99, 0.999])
    shares = [(1 + (pooled >= score).sum()) / (1 + pooled.size) for score in seen[1, 0, :4]]
    np.testing.assert_allclose(calibration.calibrated_map(seen, MASK)[1, 0, :4], -np.log10(shares), atol=0.1)


def test_calibrated_map_keeps_the_order_of_scores_and_is_zero_outside():
    calibration, score_maps = calibrated(4)
    found = calibration.calibrated_map(score_maps[0], MASK)
    order = np.argsort(score_maps[0][MASK])
    assert (np.diff(found[MASK][order]) >= 0).all()
    assert (found[~MASK] == 0).all()
    assert found.dtype == np.float32


def test_calibrated_map_ends_where_healthy_scores_end():
    calibration = calibrated(4)[0]
    beyond = calibration.calibrated_map(np.full(SHAPE, 1e6, np.float32), MASK)
    assert beyond.max() <= np.log10(4 * MASK.sum() + 1)


def test_stored_and_read_again_it_is_the_same():
    calibration, score_maps = calibrated(5, min_cluster_mm3=16)
    again = Calibration.from_state(calibration.state())
    assert again.min_cluster_mm3 == 16
    assert again.component_threshold(1) == calibration.component_threshold(1)
    assert again.p_value(3.0) == calibration.p_value(3.0)
    np.testing.assert_array_equal(
        again.calibrated_map(score_maps[0], MASK), calibration.calibrated_map(score_maps[0], MASK)
    )


def test_constant_maps_are_calibrated_without_a_complaint():
    flat = [np.zeros(SHAPE, np.float32)] * 3
    calibration = calibrate(flat, [MASK] * 3, [0.0] * 3, voxel_mm3=8.0)
    assert calibration.voxel_threshold(0.01) >= 0
    assert calibration.p_value(0.0) == 1


def test_no_scans_and_broken_scores_are_refused():
    with pytest.raises(InputError, match="at least one"):
        calibrate([], [], [], voxel_mm3=1.0)
    with pytest.raises(InputError, match="finite"):
        calibrate([np.full(SHAPE, np.nan, np.float32)], [MASK], [1.0], voxel_mm3=1.0)
    with pytest.raises(InputError, match="2 maps, 2 masks, 1 scores"):
        calibrate(maps(2), [MASK] * 2, [1.0], voxel_mm3=1.0)


def test_a_state_of_earlier_versions_is_taken_over():
    calibration, score_maps = calibrated(5, min_cluster_mm3=16)
    old = calibration.state()
    old = {
        {"nlog10p": "surprise", "min_cluster_mm3": "least_part_mm3", "components": "parts"}.get(k, k): v
        for k, v in old.items()
    }
    again = Calibration.from_state(old)
    assert again.min_cluster_mm3 == 16
    np.testing.assert_array_equal(
        again.calibrated_map(score_maps[0], MASK), calibration.calibrated_map(score_maps[0], MASK)
    )
