import numpy as np
import pytest
from helpers.small_brains import small_brains
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import RandGaussianNoised

from medunsup.core.errors import InputError
from medunsup.training.datasets import Draws, Slices, Volumes


def slices(n: int = 5, channels: int = 2) -> Slices:
    scans = small_brains(n, (16, 12, 10), channels=channels)
    return Slices(scans.values, scans.masks, scans.names)


def test_a_batch_holds_exactly_the_slices_asked_for():
    view, scans = slices(), small_brains(5, (16, 12, 10), channels=2)
    flat = [
        (n, k) for n in range(5) for k in range(10) if np.count_nonzero(scans.masks[n, :, :, k]) >= 0.02 * 192
    ]
    assert len(view) == len(flat)
    batch = view.batch(np.array([len(flat) - 1, 0, 7]))
    for row, (n, k) in enumerate([flat[-1], flat[0], flat[7]]):
        assert np.array_equal(batch.values[row].numpy(), scans.values[n, :, :, :, k])
        assert np.array_equal(batch.masks[row, 0].numpy(), scans.masks[n, :, :, k])
        assert batch.scans[row] == n


def test_slices_that_hardly_touch_the_mask_are_left_out():
    scans = small_brains(1)
    masks = scans.masks.copy()
    masks[0, :, :, 3] = False
    masks[0, 8, 8, 3] = True
    whole, without = Slices(scans.values, scans.masks), Slices(scans.values, masks)
    assert len(without) == len(whole) - 1


@given(st.lists(st.integers(1, 8), min_size=1, max_size=5), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_every_scan_gives_as_many_slices_to_an_epoch_however_many_it_has(depths, epoch):
    masks = np.zeros((len(depths), 4, 4, 8), bool)
    for mask, depth in zip(masks, depths, strict=True):
        mask[..., :depth] = True
    view = Slices(np.zeros((len(depths), 1, 4, 4, 8), np.float32), masks)
    rounds = view.scans[view.order(0, epoch)].reshape(-1, len(depths))
    assert (np.sort(rounds, axis=1) == np.arange(len(depths))).all()


def test_the_order_follows_from_seed_and_epoch_alone():
    view = slices()
    assert np.array_equal(view.order(1, 2), slices().order(1, 2))
    assert not np.array_equal(view.order(1, 2), view.order(1, 3))
    assert not np.array_equal(view.order(1, 2), view.order(2, 2))


def test_scans_mapped_from_disk_give_the_same_batches_and_are_pickled_by_name(tmp_path):
    import pickle

    scans = small_brains(3)
    np.save(tmp_path / "values.npy", scans.values)
    mapped = np.load(tmp_path / "values.npy", mmap_mode="r")
    view = Slices(mapped, scans.masks, scans.names)
    sent = pickle.dumps(view)
    assert len(sent) < scans.values.nbytes
    items = np.arange(len(view))
    for other in (view, pickle.loads(sent)):
        batch = other.batch(items)
        assert np.array_equal(batch.values, Slices(scans.values, scans.masks).batch(items).values)
    assert pickle.loads(sent).digest() == view.digest()


def test_volumes_come_whole_and_those_without_a_mask_are_left_out():
    scans = small_brains(3)
    masks = scans.masks.copy()
    masks[1] = False
    view = Volumes(scans.values, masks, scans.names)
    batch = view.batch(np.arange(2))
    assert np.array_equal(batch.values, scans.values[[0, 2]])
    assert view.names_of(np.array([1, 1])) == ["person 2"]


def test_a_monai_transform_draws_by_the_seed_it_is_given():
    scans = small_brains(2)
    view = Slices(scans.values, scans.masks, transform=RandGaussianNoised(keys="values", prob=1.0, std=0.1))
    once, again, other = (view.batch(np.arange(3), Draws(seed)).values for seed in (1, 1, 2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_the_digest_knows_names_values_and_masks():
    scans = small_brains(2)
    values, masks = scans.values.copy(), scans.masks.copy()
    values[1, 0, 8, 8, 4] += 0.1
    masks[0, 0, 0, 0] = True
    digests = {
        Slices(scans.values, scans.masks, scans.names).digest(),
        Slices(scans.values, scans.masks, ("other", "names")).digest(),
        Slices(values, scans.masks, scans.names).digest(),
        Slices(scans.values, masks, scans.names).digest(),
    }
    assert len(digests) == 4


def test_scans_without_any_mask_are_refused():
    scans = small_brains(2)
    with pytest.raises(InputError, match="nothing to train on"):
        Slices(scans.values, np.zeros_like(scans.masks))
