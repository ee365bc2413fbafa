"""What every method for few labels keeps."""

import warnings

import numpy as np
import pytest
from helpers.few_labels import FEATURES, blobs, few, on_features

from medunsup.core.errors import ArrayError

on_rows = pytest.mark.parametrize("name", FEATURES)


@on_rows
def test_classes_far_apart_are_found_in_fitted_and_in_new_rows(name):
    rows, truth = blobs(classes=3)
    fitted = on_features(name).fit(rows, few(truth, 2))
    new, of_new = blobs(30, classes=3, seed=1)
    for asked, wanted in ((rows, truth), (new, of_new)):
        shares = fitted.probabilities(asked)
        assert shares.shape == (len(asked), 3)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        assert (shares >= 0).all()
        assert (fitted.predict(asked) == wanted).mean() > 0.97


@on_rows
def test_coverage_is_a_share_and_one_without_unlabelled_rows(name):
    rows, truth = blobs()
    assert 0 <= on_features(name).fit(rows, few(truth, 2)).coverage_ <= 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert on_features(name).fit(rows, truth).coverage_ == 1


@on_rows
def test_other_numbers_of_the_classes_move_the_columns_alone(name):
    rows, truth = blobs(classes=3, apart=3)
    labels, new = few(truth, 3), np.array([7, 2, 4])
    renamed = np.where(labels < 0, -1, new[labels])
    one, other = (on_features(name).fit(rows, marks) for marks in (labels, renamed))
    assert other.classes_.tolist() == [2, 4, 7]
    columns = np.searchsorted(other.classes_, new)
    np.testing.assert_allclose(one.probabilities(rows), other.probabilities(rows)[:, columns], atol=1e-4)


@on_rows
def test_order_of_the_rows_does_not_matter(name):
    rows, truth = blobs(apart=3)
    labels, order = few(truth, 3), np.random.default_rng(1).permutation(len(rows))
    one = on_features(name).fit(rows, labels)
    other = on_features(name).fit(rows[order], labels[order])
    np.testing.assert_allclose(one.probabilities(rows), other.probabilities(rows), atol=1e-4)


@on_rows
def test_scale_and_offset_of_a_feature_do_not_matter(name):
    rows, truth = blobs(apart=3)
    labels = few(truth, 3)
    changed = rows * [100.0, 0.01] + [5.0, -7.0]
    one, other = (on_features(name).fit(given, labels) for given in (rows, changed))
    np.testing.assert_allclose(one.probabilities(rows), other.probabilities(changed), atol=1e-4)


@on_rows
def test_a_row_alone_gets_what_it_gets_among_others(name):
    rows, truth = blobs(apart=3)
    fitted = on_features(name).fit(rows, few(truth, 3))
    np.testing.assert_allclose(fitted.probabilities(rows[5:6])[0], fitted.probabilities(rows)[5], rtol=1e-6)


@on_rows
@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [
        (np.ones((4, 2)), [0, 0, -1, -1], "two classes or more"),
        (np.ones((4, 2)), [0, 1, -1], "one label a row"),
        (np.ones((4, 2)), [0.0, 1.0, -1.0, -1.0], "whole numbers"),
        (np.ones((4, 2)), [0, 1, -1, -2], "-1 where"),
        (np.array([[0.0], [np.nan]]), [0, 1], "Row 1 has a feature"),
        (np.ones(4), [0, 1, -1, -1], "Features are"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(name, rows, labels, said):
    with pytest.raises(ArrayError, match=said):
        on_features(name).fit(rows, np.asarray(labels))


@on_rows
def test_rows_of_other_features_are_refused(name):
    rows, truth = blobs()
    with pytest.raises(ArrayError, match="fitted on 2"):
        on_features(name).fit(rows, few(truth, 2)).probabilities(np.ones((3, 5)))
