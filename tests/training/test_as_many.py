"""Epochs of a given length: few scans are learned from as often as many."""

import numpy as np
import torch
from helpers.small_brains import small_brains
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.training.as_many import AsMany
from medunsup.training.datasets import Draws, Slices, Volumes


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(0, 5), st.integers(0, 3))
def test_an_epoch_has_the_number_of_items_asked_for_each_as_often_as_another(n, epoch, seed):
    scans = small_brains(3, (8, 8, 4), seed=0)
    order = AsMany(Volumes(scans.values, scans.masks), n).order(seed, epoch)
    counts = np.bincount(order, minlength=3)
    assert len(order) == n
    assert counts.max() - counts.min() <= 1


def test_items_and_labels_are_those_of_the_scans_and_each_epoch_has_its_order():
    scans = small_brains(2, (8, 8, 4), seed=0)
    plain = Slices(scans.values, scans.masks, labels=np.array([1, 0]))
    many = AsMany(plain, 50)
    items = many.order(0, 0)
    ours, theirs = (one.batch(items[:6], Draws(0, 0, 0)) for one in (many.reader(), plain))
    assert torch.equal(ours.values, theirs.values)
    assert torch.equal(ours.labels, theirs.labels)
    assert np.array_equal(many.levels, plain.levels)
    assert list(items) != list(many.order(0, 1))
    assert many.digest() != plain.digest()
