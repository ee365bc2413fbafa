"""Each item of a batch knows whose it is, so that nobody is contrasted with himself."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains

from medunsup.training.datasets import Slices, Volumes
from medunsup.training.learner import Batch, View
from medunsup.training.patches import Patches
from medunsup.training.scan_stack import Scans

WHOSE = ("ann", "bob", "ann", "cid")


def of(kind, **more):
    scans = small_brains(4)
    return kind(scans.values, scans.masks, subjects=WHOSE, **more)


@pytest.mark.parametrize(("kind", "more"), [(Slices, {}), (Volumes, {}), (Patches, {"size": (8, 8)})])
def test_items_of_one_subject_have_one_number_and_those_of_others_another(kind, more):
    data = of(kind, **more)
    batch = data.batch(data.order(0, 0))
    names = np.array(WHOSE)[batch.scans]
    is_same = names[:, None] == names[None]
    assert np.array_equal(batch.subjects[:, None] == batch.subjects[None], is_same)


def test_without_subjects_each_scan_is_one():
    scans = small_brains(3)
    batch = Slices(scans.values, scans.masks).batch(np.arange(5))
    assert torch.equal(batch.subjects, batch.scans)


def test_other_views_and_another_device_leave_the_subjects():
    batch = of(Volumes).batch(np.arange(4))
    views = [View(batch.values + 1, batch.masks)] * 2
    for changed in (batch.shown_as(views), batch.each(lambda tensor: tensor), batch.to(torch.device("cpu"))):
        assert isinstance(changed, Batch)
        assert torch.equal(changed.subjects, batch.subjects)


def test_a_part_of_the_scans_keeps_whose_they_are_and_other_subjects_are_other_data():
    scans = small_brains(4)
    named = Scans(scans.values, scans.masks, scans.names, WHOSE)
    assert named.take([3, 0]).subjects == ("cid", "ann")
    plain, owned = Slices(scans.values, scans.masks), of(Slices)
    assert plain.digest() != owned.digest()


@pytest.mark.parametrize(("kind", "more"), [(Slices, {}), (Volumes, {}), (Patches, {"size": (8, 8)})])
def test_items_in_turn_are_all_items_and_neighbours_are_of_several_scans(kind, more):
    data = of(kind, **more)
    order = data.in_turn()
    assert sorted(order) == list(range(len(data)))
    assert len(set(data.scans[order[:4]])) == 4
