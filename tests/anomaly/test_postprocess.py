"""Each step does what its name says, whatever the map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from medunsup.anomaly.postprocess import apply_step, check_steps, learned_floors, postprocess
from medunsup.core.errors import UsageError
from medunsup.training.scan_stack import Scans

SPACING = (2.0, 1.5, 1.0)
VOXEL_MM3 = 3.0
SHAPE = (7, 8, 6)
ALL = np.ones(SHAPE, bool)
maps = arrays(np.float32, SHAPE, elements=st.integers(0, 6).map(float))
masks = arrays(bool, SHAPE)


def sizes_mm3(mask: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    return np.bincount(labels.ravel())[1:] * VOXEL_MM3


@given(maps, masks, st.sampled_from([3, 7, 12, 40]))
@settings(max_examples=40, deadline=None)
def test_at_every_threshold_only_spots_that_are_large_enough_are_left_and_all_of_those(scores, mask, least):
    opened = apply_step(f"components={least}", scores, mask, SPACING)
    for threshold in np.unique(scores[scores > 0]):
        above = (scores >= threshold) & mask
        labels, n = ndimage.label(above, np.ones((3, 3, 3)))
        is_large = np.bincount(labels.ravel(), minlength=n + 1) * VOXEL_MM3 >= least
        is_large[0] = False
        np.testing.assert_array_equal(opened >= threshold, is_large[labels])


@given(maps, masks, st.sampled_from(["median=3", "erosion=2", "components=10", "relative=75"]))
@settings(max_examples=30, deadline=None)
def test_every_step_leaves_zero_outside_the_mask_and_the_map_as_it_was(scores, mask, step):
    before = scores.copy()
    after = apply_step(step, scores, mask, SPACING)
    assert (after.shape, after.dtype) == (SHAPE, np.float32)
    assert not after[~mask].any()
    np.testing.assert_array_equal(scores, before)


@given(
    maps,
    st.sampled_from(["median=3", "erosion=2", "components=10", "relative=75"]),
    st.sampled_from([0, 1, 2]),
)
@settings(max_examples=30, deadline=None)
def test_a_flipped_map_comes_out_flipped(scores, step, axis):
    flipped = np.ascontiguousarray(np.flip(scores, axis))
    after = apply_step(step, flipped, ALL, SPACING)
    np.testing.assert_array_equal(np.flip(after, axis), apply_step(step, scores, ALL, SPACING))


def test_median_removes_a_single_voxel_and_keeps_a_large_block():
    scores = np.zeros(SHAPE, np.float32)
    scores[1, 1, 1] = 9
    scores[3:, 3:, 2:] = 5
    after = apply_step("median=3", scores, ALL, SPACING)
    assert after[1, 1, 1] == 0
    assert after[5, 5, 4] == 5


def test_median_is_scipys_in_the_whole_array():
    scores = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    mask = np.zeros(SHAPE, bool)
    mask[2:5, 2:6, 1:4] = True
    wanted = ndimage.median_filter(scores * mask, 3) * mask
    np.testing.assert_array_equal(apply_step("median=3", scores * mask, mask, SPACING), wanted)


def test_erosion_is_in_millimetres():
    mask = np.zeros((20, 20, 20), bool)
    mask[2:18, 2:18, 2:18] = True
    kept = apply_step("erosion=4", np.ones(mask.shape, np.float32), mask, (2.0, 1.0, 4.0)) > 0
    assert [int(kept.any(axis=tuple({0, 1, 2} - {axis})).sum()) for axis in range(3)] == [12, 8, 14]


def test_steps_are_taken_in_their_order():
    scores = np.random.default_rng(1).random((12, 12, 12)).astype(np.float32)
    mask = np.ones(scores.shape, bool)
    steps = ("median=3", "components=30")
    wanted = scores
    for step in steps:
        wanted = apply_step(step, wanted, mask, SPACING)
    np.testing.assert_array_equal(postprocess(steps, scores, mask, SPACING), wanted)
    assert (postprocess(steps[::-1], scores, mask, SPACING) != wanted).any()


def test_an_empty_mask_stays_empty():
    nothing = np.zeros(SHAPE, bool)
    steps = ("median=3", "erosion=2", "components=5")
    assert not postprocess(steps, np.ones(SHAPE, np.float32), nothing, SPACING).any()


@pytest.mark.parametrize(
    "step", ["blur=3", "median", "median=4", "median=-1", "erosion=far", "components=-1"]
)
def test_a_step_that_makes_no_sense_is_refused_by_name(step):
    with pytest.raises(UsageError, match=f"'{step}'"):
        check_steps(("median=3", step))


@given(maps, masks, st.sampled_from([0.5, 2.0, 8.0]))
@settings(max_examples=30, deadline=None)
def test_a_relative_map_does_not_tell_how_large_all_scores_were(scores, mask, factor):
    after = apply_step("relative=75", scores, mask, SPACING)
    if np.percentile(scores[mask], 75) > 0 if mask.any() else False:
        np.testing.assert_allclose(
            apply_step("relative=75", factor * scores, mask, SPACING), after, rtol=1e-6
        )
        assert np.percentile(after[mask], 75) == pytest.approx(1)


def floors(maps: np.ndarray, steps: tuple[str, ...] = ("relative=75",)) -> tuple[float, ...]:
    scans = Scans(maps[:, None], np.ones(maps.shape, bool))
    return learned_floors(steps, lambda values, mask: values[0], scans, SPACING)


HEALTHY_MAPS = np.random.default_rng(0).gamma(2, size=(8, *SHAPE)).astype(np.float32)


def test_healthy_maps_are_divided_by_their_own_percentile_alone():
    (floor,) = floors(HEALTHY_MAPS)
    for one in HEALTHY_MAPS:
        np.testing.assert_array_equal(
            apply_step("relative=75", one, ALL, SPACING, floor), apply_step("relative=75", one, ALL, SPACING)
        )


@given(st.floats(0, 0.5), st.floats(0, 1e-3))
@settings(max_examples=40, deadline=None)
def test_a_relative_map_changes_no_more_than_its_scores_do_however_few_of_them_are_above_zero(least, change):
    """A one-sided score of a slightly darker scan is mostly 0: its lesion keeps the unit of the others."""
    (floor,) = floors(HEALTHY_MAPS)
    few = np.zeros(SHAPE, np.float32)
    few[0], few[1:3] = 9, least
    after = apply_step("relative=75", few, ALL, SPACING, floor)
    nearly = apply_step("relative=75", few + np.float32(change), ALL, SPACING, floor)
    assert after.max() == pytest.approx(9 / max(floor, np.percentile(few, 75)), rel=1e-5)
    assert abs(nearly.max() - after.max()) <= change * (1 + after.max()) / floor + 1e-4


def noise(n: int, seed: int, scale: float = 1.0, darker: float = 0.0) -> np.ndarray:
    """Residuals of healthy scans, of both signs."""
    return np.random.default_rng(seed).normal(-darker, scale, (n, *SHAPE)).astype(np.float32)


def lesion_score(floor: float, one_sided: bool, background: np.ndarray) -> float:
    """How high one lesion, 12 above its background, stands on a map."""
    ill = background[0].copy()
    ill[2:4, 2:4, 2:4] += 12
    raw = np.maximum(ill, 0) if one_sided else np.abs(ill)
    after = apply_step("relative=75", raw, ALL, SPACING, floor)
    return float(np.median(after[2:4, 2:4, 2:4]))


@given(st.floats(0.5, 2), st.floats(0, 2), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_lesion_of_a_one_sided_score_stands_alike_however_dark_and_noisy_the_rest_is(scale, darker, seed):
    """Never higher than where all is usual; lower by what the rest is noisier, or the lesion darker."""
    (floor,) = floors(np.maximum(noise(20, 1000), 0))
    usual = lesion_score(floor, True, noise(1, 1001))
    found = lesion_score(floor, True, noise(1, seed, scale, darker))
    lowest = min(1, 1 / scale) * (12 - darker) / 12
    assert 0.75 * lowest * usual < found < 1.25 * usual


@given(st.floats(0.5, 2), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_lesion_of_a_two_sided_score_counts_in_units_of_the_scan_but_none_smaller_than_healthy_ones(
    scale, seed
):
    (floor,) = floors(np.abs(noise(20, 1000)))
    usual = lesion_score(floor, False, noise(1, 1001))
    found = lesion_score(floor, False, noise(1, seed, scale))
    assert found / usual == pytest.approx(min(1 / scale, 1), rel=0.3)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
def test_the_floor_is_above_zero_unless_all_healthy_scores_are_zero(share):
    maps = HEALTHY_MAPS * (np.random.default_rng(1).random(HEALTHY_MAPS.shape) < share)
    assert (floors(maps.astype(np.float32))[0] > 0) == (share > 0)


def test_floors_are_learned_after_the_steps_before_and_only_where_something_is_divided():
    found = floors(HEALTHY_MAPS, ("median=3", "relative=75"))
    smoothed = np.stack([apply_step("median=3", one, ALL, SPACING) for one in HEALTHY_MAPS])
    assert found == (0.0, *floors(smoothed))


def test_a_single_quiet_healthy_scan_does_not_take_the_floor_away():
    maps = HEALTHY_MAPS.copy()
    maps[0] = 0
    assert floors(maps)[0] == pytest.approx(np.median([np.percentile(one, 75) for one in maps]) / 2)
