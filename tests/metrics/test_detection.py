"""Voxel-wise measures: by hand, with scikit-learn as a second opinion, at chance and at perfection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from medunsup.core.errors import GeometryError, InputError
from medunsup.metrics.detection import aupro, average_precision, detection, overlap

SHAPE = (4, 5, 3)
few_values = arrays(np.float32, SHAPE, elements=st.sampled_from([-1.5, 0, 0.25, 0.5, 3]))
masks = arrays(bool, SHAPE)


@settings(max_examples=50, deadline=None)
@given(few_values, masks)
def test_ranks_are_judged_as_scikit_learn_does_ties_included(scores, truth):
    inside = np.ones(SHAPE, bool)
    found = detection(scores, truth, inside)
    if truth.all() or not truth.any():
        assert np.isnan(found.average_precision)
        return
    flat, wanted = scores.ravel(), truth.ravel()
    assert found.average_precision == pytest.approx(average_precision_score(wanted, flat))
    assert found.auroc == pytest.approx(roc_auc_score(wanted, flat))
    assert found.prevalence == truth.mean()


@settings(max_examples=50, deadline=None)
@given(few_values, masks)
def test_oracle_threshold_gives_the_oracle_dice_and_no_other_threshold_more(scores, truth):
    inside = np.ones(SHAPE, bool)
    best = detection(scores, truth, inside)
    if np.isnan(best.oracle_dice):
        return
    assert overlap(scores > best.oracle_threshold, truth)["dice"] == best.oracle_dice
    for threshold in (-2, -1.5, 0, 0.25, 0.5, 3):
        dice = overlap(scores > threshold, truth)["dice"]
        assert dice == pytest.approx(f1_score(truth.ravel(), scores.ravel() > threshold))
        assert dice <= best.oracle_dice


def test_voxels_outside_the_brain_do_not_count():
    truth, brain = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    brain[:2], truth[0] = True, True
    scores = truth.astype(np.float32)
    spoilt = np.where(brain, scores, 100).astype(np.float32)
    assert detection(spoilt, truth, brain) == detection(scores, truth, brain)


@settings(max_examples=50, deadline=None)
@given(few_values, masks, masks)
def test_lesion_voxels_outside_the_brain_are_ranked_last_and_never_found(scores, truth, brain):
    """scikit-learn's figures over brain and lesions; it alone takes the last rank for a threshold."""
    truth[0, 0, 0], brain[0, 0, 1], brain[0, 0, 2], truth[0, 0, 2] = True, True, True, False
    found, measured = detection(scores, truth, brain), truth | brain
    wanted, ranked = truth[measured], np.where(brain, scores, -9)[measured]
    never = (truth & ~brain).sum() / truth.sum() * wanted.mean()
    assert found.average_precision == pytest.approx(average_precision_score(wanted, ranked) - never)
    assert found.average_precision == average_precision(scores, truth, brain)
    assert found.auroc == pytest.approx(roc_auc_score(wanted, ranked))
    assert (found.prevalence, found.n_outside) == (wanted.mean(), (truth & ~brain).sum())
    best = max(overlap((scores > one) & brain, truth)["dice"] for one in (-2, -1.5, 0, 0.25, 0.5))
    assert found.oracle_dice == pytest.approx(best)


def test_a_lesion_wholly_outside_the_brain_is_missed_at_every_threshold():
    truth, brain = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    truth[0], brain[2:] = True, True
    found = detection(np.arange(truth.size, dtype=np.float32).reshape(SHAPE), truth, brain)
    assert (found.average_precision, found.auroc, found.aupro, found.oracle_dice) == (0, 0, 0, 0)


def test_aupro_weighs_a_lesion_outside_the_brain_like_any_other():
    truth = np.zeros((20, 20, 5), bool)
    truth[2:4, 2:4, 2], truth[10:15, 10:15, 1:4] = True, True
    brain = np.ones(truth.shape, bool)
    brain[:6] = False
    assert aupro(truth.astype(float), truth, brain) == pytest.approx(1 / 2)


def test_precision_and_recall_by_hand():
    marked, truth = np.array([True, True, True, False]), np.array([True, False, False, True])
    assert overlap(marked, truth) == pytest.approx({"precision": 1 / 3, "recall": 1 / 2, "dice": 2 / 5})


def test_nothing_marked_has_recall_zero_and_no_precision():
    truth = np.zeros(SHAPE, bool)
    truth[0] = True
    found = overlap(np.zeros(SHAPE, bool), truth)
    assert found["recall"] == found["dice"] == 0
    assert np.isnan(found["precision"])


def test_a_scan_without_lesion_has_no_average_precision_but_what_is_marked_there_counts():
    everywhere, nowhere = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    found = detection(np.ones(SHAPE), nowhere, everywhere)
    assert np.isnan([found.average_precision, found.oracle_dice, found.auroc, found.aupro]).all()
    assert overlap(everywhere, nowhere)["precision"] == overlap(everywhere, nowhere)["dice"] == 0


def test_aupro_is_one_for_a_perfect_map_and_half_the_limit_for_a_constant_one():
    truth = np.zeros((20, 20, 5), bool)
    truth[2:4, 2:4, 2], truth[10:15, 10:15, 1:4] = True, True
    inside = np.ones(truth.shape, bool)
    assert aupro(truth.astype(float), truth, inside) == pytest.approx(1)
    assert aupro(np.zeros(truth.shape), truth, inside, limit=0.3) == pytest.approx(0.15)


def test_aupro_counts_a_small_lesion_as_much_as_a_large_one():
    truth = np.zeros((20, 20, 1), bool)
    truth[2:4, 2:4], truth[10:18, 10:18] = True, True
    small, large = truth.copy(), truth.copy()
    small[10:], large[:10] = False, False
    inside = np.ones(truth.shape, bool)
    assert aupro(small.astype(float), truth, inside) == pytest.approx(
        aupro(large.astype(float), truth, inside)
    )


def test_aupro_equals_the_curve_drawn_point_by_point():
    generator = np.random.default_rng(0)
    truth = np.zeros((12, 12, 4), bool)
    truth[1:3, 1:4, 1], truth[6:10, 6:9, 1:3] = True, True
    scores = (generator.normal(size=truth.shape) + truth).astype(np.float32)
    one, other = truth.copy(), truth.copy()
    one[6:], other[:6] = False, False
    levels = np.sort(scores.ravel())[::-1]
    overlap = [0.0, *(np.mean([(scores[part] >= t).mean() for part in (one, other)]) for t in levels)]
    false = [0.0, *((scores[~truth] >= t).mean() for t in levels)]
    fine = np.linspace(0, 0.3, 20001)
    expected = np.interp(fine, false, overlap).mean()
    assert aupro(scores, truth, np.ones(truth.shape, bool)) == pytest.approx(expected, abs=2e-3)


def test_scores_that_are_no_numbers_are_refused_with_their_count():
    scores = np.zeros(SHAPE)
    scores[0, 0] = np.nan
    with pytest.raises(InputError, match="3 scores"):
        detection(scores, np.zeros(SHAPE, bool), np.ones(SHAPE, bool))


def test_other_shapes_and_empty_masks_are_refused():
    with pytest.raises(GeometryError, match=r"\(4, 5, 3\)"):
        detection(np.zeros((2, 2, 2)), np.zeros(SHAPE, bool), np.ones(SHAPE, bool))
    with pytest.raises(InputError, match="empty"):
        detection(np.zeros(SHAPE), np.zeros(SHAPE, bool), np.zeros(SHAPE, bool))
