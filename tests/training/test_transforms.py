"""Views of an item: one a transform, none of which touches the data or another view."""

import random

import numpy as np
import torch
from helpers.small_brains import small_brains
from monai.transforms import CenterSpatialCropd, RandGaussianNoised

from medunsup.training.datasets import Draws, Slices
from medunsup.training.transforms import TransformOrMany


def slices(transform: TransformOrMany = None) -> Slices:
    scans = small_brains(4)
    return Slices(scans.values, scans.masks, scans.names, transform=transform)


def noisy(item: dict) -> dict:
    """Draws from all three sources of the whole process, as transforms of other packages do."""
    noise = torch.rand(()) + np.random.random() + random.random()  # noqa: NPY002
    return {**item, "values": item["values"] + noise}


def emptied(item: dict) -> dict:
    """Writes into what it is given."""
    item["values"].zero_()
    item["mask"].zero_()
    return item


ITEMS = np.arange(5)


def test_without_a_transform_the_one_view_is_the_item():
    batch = slices().batch(ITEMS)
    (view,) = batch.views
    assert view.values is batch.values
    assert view.masks is batch.masks


def test_a_transform_that_writes_into_its_item_changes_neither_scans_nor_other_views():
    data = slices([emptied, lambda item: item])
    before = data.values.copy()
    one, other = data.batch(ITEMS).views
    assert not one.values.any()
    assert torch.equal(other.values, slices().batch(ITEMS).values)
    assert np.array_equal(data.values, before)


def test_views_may_differ_in_size():
    crop = CenterSpatialCropd(keys=("values", "mask"), roi_size=(8, 6))
    batch = slices([lambda item: item, crop, crop]).batch(ITEMS)
    assert [tuple(view.values.shape) for view in batch.views] == [(5, 1, 16, 16), (5, 1, 8, 6), (5, 1, 8, 6)]
    moved = batch.to(torch.device("meta"))
    assert all(view.masks.is_meta for view in moved.views)
    assert not moved.scans.is_meta


def test_each_item_and_each_view_of_it_is_drawn_anew():
    for transform in (noisy, RandGaussianNoised(keys="values", prob=1.0, std=0.1)):
        batch = slices([transform, transform]).batch(np.zeros(3, int), Draws(1))
        drawn = [values for view in batch.views for values in view.values]
        assert len({values.numpy().tobytes() for values in drawn}) == 6


def test_what_is_drawn_from_the_whole_process_is_put_back():
    torch.manual_seed(3), np.random.seed(3), random.seed(3)  # noqa: NPY002
    expected = torch.rand(1), np.random.random(), random.random()  # noqa: NPY002
    torch.manual_seed(3), np.random.seed(3), random.seed(3)  # noqa: NPY002
    slices(noisy).batch(ITEMS)
    assert (torch.rand(1), np.random.random(), random.random()) == expected  # noqa: NPY002
