"""Overlap measures: small cases by hand, identities on any maps, scikit-learn as a second opinion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix, f1_score

from medunsup.core.errors import GeometryError
from medunsup.metrics.segmentation import confusion, dice, volume_ratio

label_maps = arrays(np.uint8, (3, 4, 2), elements=st.integers(0, 3))


def test_half_overlap_counts_half():
    assert dice(np.array([1, 1, 0]), np.array([0, 1, 1]), 1) == 0.5


def test_label_found_nowhere_has_no_score():
    assert np.isnan(dice(np.zeros(4, int), np.zeros(4, int), 1))
    assert np.isnan(volume_ratio(np.ones(4, int), np.zeros(4, int), 1))


def test_emptied_class_has_ratio_zero_and_dice_zero():
    predicted, truth = np.zeros(4, int), np.ones(4, int)
    assert volume_ratio(predicted, truth, 1) == dice(predicted, truth, 1) == 0


def test_unlabelled_voxels_do_not_count_when_left_out():
    predicted, truth = np.array([3, 3, 3, 3]), np.array([3, 3, 0, 0])
    assert dice(predicted, truth, 3) == pytest.approx(2 / 3)
    assert dice(predicted, truth, 3, where=truth > 0) == 1


@pytest.mark.parametrize("measure", [dice, volume_ratio])
def test_different_shapes_are_refused_with_both_named(measure):
    with pytest.raises(GeometryError, match=r"\(2,\).*\(3,\)"):
        measure(np.zeros(2, int), np.zeros(3, int), 1)
    with pytest.raises(GeometryError, match=r"\(2,\).*\(3,\)"):
        confusion(np.zeros(2, int), np.zeros(2, int), (0, 1), where=np.ones(3, bool))


@given(label_maps, label_maps, st.integers(0, 3))
def test_dice_is_symmetric_and_equals_the_f1_score(first, second, label):
    found = dice(first, second, label)
    if np.isnan(found):
        assert not (first == label).any()
        assert not (second == label).any()
        return
    assert found == dice(second, first, label)
    assert found == pytest.approx(f1_score(second.ravel() == label, first.ravel() == label))


@given(label_maps, label_maps)
def test_confusion_equals_scikit_learns(predicted, truth):
    labels = [2, 0, 1, 3]
    expected = confusion_matrix(truth.ravel(), predicted.ravel(), labels=labels)
    np.testing.assert_array_equal(confusion(predicted, truth, labels), expected)


@given(label_maps, label_maps)
def test_confusion_outside_the_listed_labels_is_left_out(predicted, truth):
    where = truth != 3
    counted = confusion(predicted, truth, (1, 2), where=where)
    both = np.isin(truth, (1, 2)) & np.isin(predicted, (1, 2)) & where
    assert counted.sum() == both.sum()
    assert counted[0, 0] == ((truth == 1) & (predicted == 1)).sum()


@given(label_maps)
def test_a_map_agrees_with_itself(labels):
    for label in np.unique(labels):
        assert dice(labels, labels, label) == volume_ratio(labels, labels, label) == 1
