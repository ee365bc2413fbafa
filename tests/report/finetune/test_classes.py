"""ROC curves and confusion matrices of the page of classes, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from medunsup.metrics.classification import auc
from medunsup.report.finetune.classes import confusion, roc_points


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_the_area_under_the_curve_is_the_auc_that_is_told(n_classes, seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(120) % n_classes
    scores = rng.random((120, n_classes)) + 0.6 * np.eye(n_classes)[labels]
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    across, up = roc_points(probabilities, labels)
    assert (across[0], up[0], across[-1], up[-1]) == (0, 0, 1, 1)
    assert (np.diff(across) >= 0).all()
    assert (np.diff(up) >= 0).all()
    assert np.trapezoid(up, across) == pytest.approx(float(auc(probabilities, labels)[0]), abs=0.01)


def test_counts_stand_in_the_row_of_the_true_class_and_a_class_without_items_has_none():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.3, 0.6, 0.1]])
    labels = np.array([0, 0, 1, 1])
    found = confusion(probabilities, labels, ("a", "b", "c"), "network")
    counts = [[cell.count for cell in row] for row in found.rows]
    np.testing.assert_array_equal(counts, confusion_matrix(labels, [0, 1, 1, 1], labels=[0, 1, 2]))
    assert [[cell.share for cell in row] for row in found.rows] == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]]
