"""Counting lesions and false alarms: by hand, with a slow reference, and with MONAI where comparable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from medunsup.metrics.components import components
from medunsup.metrics.froc import Froc, LesionCounts, count_lesions, froc_thresholds
from medunsup.metrics.histogram import ScoreHistogram

SHAPE = (7, 6, 4)
CORNERS = np.ones((3, 3, 3))
masks = arrays(bool, SHAPE, elements=st.sampled_from([False, False, False, True]))


def slow_count(marked, truth, least_lesion, min_cluster):
    """Count lesion by lesion and part by part, as the module's text says it."""
    lesions, n_lesions = ndimage.label(truth, CORNERS)
    parts, n_parts = ndimage.label(marked, CORNERS)
    parts_kept = [parts == n for n in range(1, n_parts + 1) if (parts == n).sum() >= min_cluster]
    lesions_kept = [lesions == n for n in range(1, n_lesions + 1) if (lesions == n).sum() >= least_lesion]
    true_parts = [part for part in parts_kept if truth[part].mean() >= 0.1]
    covered = np.any([np.zeros(SHAPE, bool), *true_parts], axis=0)
    found = [lesion for lesion in lesions_kept if covered[lesion].mean() >= 0.1]
    return LesionCounts(len(lesions_kept), len(found), len(parts_kept) - len(true_parts))


@settings(max_examples=50, deadline=None)
@given(masks, masks, st.integers(0, 4), st.integers(0, 4))
def test_counts_equal_those_of_a_slow_reference(marked, truth, least_lesion, min_cluster):
    counted = count_lesions(
        marked, truth, voxel_mm3=1.0, least_lesion_mm3=least_lesion, min_cluster_mm3=min_cluster
    )
    assert counted == slow_count(marked, truth, least_lesion, min_cluster)


@settings(max_examples=50, deadline=None)
@given(masks, st.floats(0, 5))
def test_components_are_numbered_without_gaps_and_none_is_too_small(mask, least):
    labels, n = components(mask, voxel_mm3=1.0, least_mm3=least)
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    assert sizes.size == n
    assert (sizes >= max(least, 1)).all()


def test_a_component_that_floods_the_brain_finds_nothing_and_is_one_false_alarm():
    truth = np.zeros((10, 10, 10), bool)
    truth[4:6, 4:6, 4:6] = True
    assert count_lesions(np.ones_like(truth), truth, voxel_mm3=8.0) == LesionCounts(1, 0, 1)


def test_a_speck_below_the_least_volume_is_neither_missed_nor_a_false_alarm():
    truth = np.zeros((10, 10, 10), bool)
    truth[1, 1, 1] = True
    marked = truth.copy()
    assert count_lesions(marked, truth, voxel_mm3=1.0, least_lesion_mm3=5) == LesionCounts(0, 0, 0)


def blobs(places, scores, shape=(20, 20, 6)):
    """Boxes of 2 x 2 x 2 voxels, each of one score, on a ground of 0."""
    values = np.zeros(shape, np.float32)
    for (i, j, k), score in zip(places, scores, strict=True):
        values[i : i + 2, j : j + 2, k : k + 2] = score
    return values


@pytest.mark.slow
def test_curve_passes_through_monais_points_for_separate_blobs():
    from monai.metrics.froc import compute_fp_tp_probs_nd, compute_froc_curve_data, compute_froc_score

    scans = [
        ([(1, 1, 1), (8, 8, 1), (14, 2, 3), (3, 14, 3)], [0.9, 0.4, 0.6, 0.2], [(1, 1, 1), (3, 14, 3)]),
        ([(5, 5, 2), (12, 12, 2), (16, 4, 1)], [0.8, 0.7, 0.3], [(12, 12, 2), (5, 16, 1)]),
    ]
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2], np.float32)
    froc = Froc(np.append(np.nextafter(scores, np.float32(0)), 1))
    false, true, targets = [], [], 0
    for places, heights, lesions in scans:
        truth = blobs(lesions, [1] * len(lesions)) > 0
        froc.add(blobs(places, heights), truth, np.ones(truth.shape, bool), voxel_mm3=8.0)
        labels = ndimage.label(truth)[0]
        one = compute_fp_tp_probs_nd(np.array(heights, np.float32), np.array(places), labels)
        false, true, targets = [*false, *one[0]], [*true, *one[1]], targets + one[2]
    curve = froc.curve()
    theirs = compute_froc_curve_data(np.array(false), np.array(true), targets, len(scans))
    ours = set(zip(curve.false_positives.tolist(), curve.sensitivity.tolist(), strict=True))
    assert set(zip(*(points.tolist() for points in theirs), strict=True)) <= ours
    assert compute_froc_score(*theirs, eval_thresholds=(0.5,)) == curve.sensitivity_at(0.5) == 0.5


def test_sensitivity_at_more_false_alarms_is_never_lower():
    generator = np.random.default_rng(3)
    truth = blobs([(1, 1, 1), (10, 10, 2), (15, 3, 3)], [1, 1, 1]) > 0
    scores = ndimage.gaussian_filter(generator.normal(size=truth.shape) + 2 * truth, 0.8).astype(np.float32)
    inside = np.ones(truth.shape, bool)
    froc = Froc(froc_thresholds(ScoreHistogram().add(scores)))
    curve = froc.add(scores, truth, inside, voxel_mm3=8.0).curve()
    found = [curve.sensitivity_at(allowed) for allowed in (0, 1, 2, 4, 8, 100)]
    assert found == sorted(found)
    assert found[-1] > 0


def test_marks_outside_the_brain_are_no_false_alarms():
    truth = blobs([(10, 10, 2)], [1]) > 0
    brain = np.zeros(truth.shape, bool)
    brain[8:] = True
    scores = blobs([(10, 10, 2), (1, 1, 1)], [1, 2])
    curve = Froc(np.array([0.5])).add(scores, truth, brain, voxel_mm3=8.0).curve()
    assert (curve.sensitivity[0], curve.false_positives[0]) == (1, 0)


def test_sensitivity_without_lesions_has_no_value_but_false_alarms_do():
    none = np.zeros((6, 6, 6), bool)
    curve = Froc(np.array([0.5])).add(blobs([(1, 1, 1)], [1], (6, 6, 6)), none, ~none, voxel_mm3=8.0).curve()
    assert np.isnan(curve.sensitivity_at(1))
    assert curve.false_positives.tolist() == [1]


def test_thresholds_reach_from_one_voxel_to_a_third_of_the_brain():
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    thresholds = froc_thresholds(ScoreHistogram().add(values))
    assert (np.diff(thresholds) < 0).all()
    assert (values > thresholds[0]).sum() <= 1
    assert (values > thresholds[-1]).mean() == pytest.approx(0.3, abs=0.005)


def test_a_lesion_outside_the_brain_is_a_lesion_missed_at_every_threshold():
    truth, brain = np.zeros((9, 9, 9), bool), np.zeros((9, 9, 9), bool)
    truth[1:3, 1:3, 1:3], truth[6:8, 6:8, 6:8], brain[4:] = True, True, True
    counts = Froc(np.array([2, 1, 0.5]), least_lesion_mm3=0, min_cluster_mm3=0)
    curve = counts.add(truth.astype(float), truth, brain, voxel_mm3=1).curve()
    assert curve.n_lesions == 2
    np.testing.assert_array_equal(curve.sensitivity, [0, 0, 1 / 2])
