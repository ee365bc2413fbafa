"""Patches lie where they should, and the same ones are drawn however batches are cut."""

from itertools import pairwise

import numpy as np
import pytest
from helpers.small_brains import small_brains
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.core.errors import InputError, UsageError
from medunsup.training.datasets import Draws
from medunsup.training.patches import Patches

SHAPE = (14, 12, 10)


def patches(size: tuple[int, ...], n: int = 4, **how: object) -> Patches:
    scans = small_brains(n, SHAPE, channels=2)
    return Patches(scans.values, scans.masks, scans.names, size=size, **how)


@given(
    st.lists(st.integers(1, 10), min_size=2, max_size=3).map(tuple),
    st.floats(0, 1),
    st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_a_patch_is_a_box_of_its_scan(size, inside, seed):
    data = patches(size, inside=inside)
    items = data.order(seed, 0)
    batch, corners = data.batch(items, Draws(seed)), data.corners(items, Draws(seed))
    scans = small_brains(4, SHAPE, channels=2)
    for values, mask, scan, (i, j, k) in zip(batch.values, batch.masks, batch.scans, corners, strict=True):
        box = (slice(i, i + size[0]), slice(j, j + size[1]), slice(k, k + size[2]) if size[2:] else k)
        assert values.shape == (2, *size)
        assert np.array_equal(values, scans.values[(scan, slice(None), *box)])
        assert np.array_equal(mask[0], scans.masks[(scan, *box)])


@pytest.mark.parametrize("size", [(3, 3), (3, 3, 3)])
def test_all_patches_lie_around_the_mask_when_all_should(size):
    data = patches(size, per_scan=50, inside=1.0)
    batch = data.batch(data.order(0, 0), Draws(0))
    middle = tuple(side // 2 for side in size)
    assert batch.masks[(slice(None), 0, *middle)].float().mean() > 0.97  # but for those at the scan's edge
    assert batch.masks.flatten(1).any(dim=1).all()


def test_a_given_share_of_patches_lies_around_the_mask():
    """A mask of few voxels is hardly ever met by chance; patches of one voxel say where each lies."""
    masks = np.zeros((1, *SHAPE), bool)
    masks[0, 5, 5, 5] = masks[0, 9, 2, 7] = True
    values = np.ones((1, 1, *SHAPE), np.float32)
    data = Patches(values, masks, size=(1, 1, 1), per_scan=2000, inside=0.3)
    batch = data.batch(data.order(0, 0), Draws(0))
    share = batch.masks.float().mean().item()
    by_chance = 0.3 + 0.7 * 2 / np.prod(SHAPE)
    assert abs(share - by_chance) < 4 * np.sqrt(0.3 * 0.7 / 2000)


def test_each_voxel_of_the_mask_is_as_likely():
    scans = small_brains(1, (6, 5, 4))
    data = Patches(scans.values, scans.masks, size=(1, 1, 1), per_scan=8000)
    corners = data.corners(data.order(0, 0), Draws(0))
    counts = np.zeros(scans.masks.shape[1:])
    np.add.at(counts, tuple(corners.T), 1)
    assert not counts[~scans.masks[0]].any()
    inside = counts[scans.masks[0]]
    expected = 8000 / len(inside)
    chi2 = ((inside - expected) ** 2 / expected).sum()
    assert chi2 < len(inside) + 4 * np.sqrt(2 * len(inside))


@given(st.lists(st.integers(1, 8), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_the_same_patches_are_drawn_however_the_epoch_is_cut(sizes):
    data = patches((4, 4, 4), inside=0.5)
    items = data.order(3, 2)[: sum(sizes)]
    whole = data.corners(items, Draws(3, 2))
    starts = np.cumsum([0, *sizes])
    cut = [
        data.corners(items[start:end], Draws(3, 2, int(start)))
        for start, end in pairwise(starts)
        if start < len(items)
    ]
    assert np.array_equal(np.concatenate(cut), whole)


def test_seeds_epochs_and_places_draw_other_patches():
    data = patches((2, 2, 2), per_scan=6)
    items = data.order(0, 0)
    draws = [Draws(0, 0), Draws(1, 0), Draws(0, 1), Draws(0, 0, 1)]
    assert len({data.corners(items, one).tobytes() for one in draws}) == 4
    same_scan = items[data.scans[items] == 0]
    assert len({tuple(corner) for corner in data.corners(same_scan, Draws(0))}) > 1


def test_the_digest_knows_how_patches_are_taken():
    ways = [{}, {"per_scan": 9}, {"inside": 0.5}, {"n": 3}]
    digests = {patches((4, 4), **way).digest() for way in ways} | {patches((4, 5)).digest()}
    assert len(digests) == 5
    assert patches((4, 4)).digest() in digests


def test_each_scan_gives_as_many_patches():
    data = patches((4, 4), n=3, per_scan=5)
    assert len(data) == 15
    assert (np.bincount(data.scans[data.order(0, 1)]) == 5).all()


def test_patches_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"\(15, 4\) voxels do not fit into scans of \(14, 12, 10\)"):
        patches((15, 4))
    for how in ({"size": (4,)}, {"size": (4, 0)}, {"size": (4, 4), "inside": 1.1}):
        with pytest.raises(UsageError, match="A patch is"):
            patches(**how)
