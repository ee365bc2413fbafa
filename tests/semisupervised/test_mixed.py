"""Batches of labelled and unlabelled items: how many of each, which, and in what order."""

import numpy as np
import pytest
from helpers.few_labels import around_an_encoder, labelled_brains, labelled_images
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.core.errors import InputError
from medunsup.semisupervised.mixed import Mixed, labelled_in_batch
from medunsup.training.datasets import Slices


def mixed(known: int = 3, n: int = 20, *, size: int = 8, share: float = 0.25, most: int = 100) -> Mixed:
    scans = labelled_images(n)
    are_labelled = np.arange(n) < known
    return Mixed(
        Slices(scans.values, scans.masks, labels=scans.labels),
        are_labelled,
        size=size,
        share=share,
        most=most,
    )


@settings(deadline=None, max_examples=40)
@given(
    known=st.integers(1, 18), size=st.integers(2, 12), share=st.floats(0.01, 0.99), epoch=st.integers(0, 5)
)
def test_each_batch_holds_as_many_labelled_items_and_each_epoch_as_many_batches(known, size, share, epoch):
    dataset = mixed(known, size=size, share=share)
    order = dataset.order(0, epoch)
    assert len(order) == len(dataset.order(0, 0))
    assert len(order) % size == 0
    counts = (order.reshape(-1, size) < known).sum(axis=1)
    assert (counts == labelled_in_batch(size, share)).all()


def test_an_epoch_shows_unlabelled_items_once_and_labelled_ones_equally_often():
    dataset = mixed(3, 21, size=6, share=0.5)
    counts = np.bincount(dataset.order(0, 0), minlength=21)
    assert (counts[3:] == 1).all()
    assert (counts[:3] == 6).all()


def test_seed_and_epoch_decide_the_order():
    dataset = mixed()
    assert np.array_equal(dataset.order(0, 1), dataset.order(0, 1))
    assert not np.array_equal(dataset.order(0, 1), dataset.order(0, 2))
    assert not np.array_equal(dataset.order(0, 1), dataset.order(1, 1))


def test_pieces_of_a_batch_hold_as_many_labelled_items():
    order = mixed(size=8, share=0.5).order(0, 0).reshape(-1, 2, 4)
    assert ((order < 3).sum(axis=2) == 2).all()


def test_an_epoch_is_no_longer_than_asked_for():
    assert len(mixed(size=4, most=2).order(0, 0)) == 8


def test_labelled_scans_with_empty_masks_leave_nothing_to_learn_from():
    scans = labelled_images(6)
    masks = scans.masks.copy()
    masks[:2] = False
    with pytest.raises(InputError, match="0 of 4 slices"):
        Mixed(Slices(scans.values, masks), np.arange(6) < 2, size=2, share=0.5, most=1)


@pytest.mark.parametrize("size", [2, 7, 32])
def test_a_batch_is_never_all_of_one_kind(size):
    assert labelled_in_batch(size, 0.001) == 1
    assert labelled_in_batch(size, 0.999) == size - 1


def test_slices_of_an_unlabelled_scan_are_unlabelled():
    scans = labelled_brains(3, known=1)
    dataset = around_an_encoder("fixmatch", "segment").dataset(scans)
    batch = dataset.batch(np.arange(len(dataset)))
    unknown = (batch.values[:, -1] < 0).flatten(1).any(dim=1).numpy()
    assert np.array_equal(unknown, batch.scans.numpy() > 0)
    assert np.array_equal(dataset.are_labelled, ~unknown)
