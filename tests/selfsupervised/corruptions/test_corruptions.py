"""Facts of corruptions: what stays, what is named, and that the original can be found again."""

from math import factorial

import numpy as np
import pytest
import torch
from helpers.views import CUBES, SHAPES, generator, noisy, offsets, same
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from medunsup.core.errors import UsageError
from medunsup.nn.boxes import random_boxes, random_voxels
from medunsup.selfsupervised.corruptions.bezier import bend
from medunsup.selfsupervised.corruptions.deblur import deblur
from medunsup.selfsupervised.corruptions.genesis import genesis
from medunsup.selfsupervised.corruptions.inpaint import inpaint
from medunsup.selfsupervised.corruptions.jigsaw import jigsaw
from medunsup.selfsupervised.corruptions.masking import masking
from medunsup.selfsupervised.corruptions.noise import noise
from medunsup.selfsupervised.corruptions.patch_swap import patch_swap
from medunsup.selfsupervised.corruptions.permutations import unlike_permutations
from medunsup.selfsupervised.corruptions.rotation import ROTATIONS, rotation, undo_rotation
from medunsup.selfsupervised.corruptions.shuffle import shuffle_pixels
from medunsup.training.learner import View

dims = pytest.mark.parametrize("shape", SHAPES.values(), ids=["2D", "3D"])
cubes = pytest.mark.parametrize("shape", CUBES.values(), ids=["2D", "3D"])


def histogram(values: torch.Tensor) -> torch.Tensor:
    """All intensities of each item and channel, sorted."""
    return values.flatten(2).sort(dim=2).values


@dims
@given(swaps=st.integers(0, 12), side=st.integers(1, 8), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_swapping_patches_keeps_every_intensity(shape, swaps, side, seed):
    view = noisy(shape, seed)
    done = patch_swap(view, generator(seed), swaps=swaps, side=side)
    assert torch.equal(histogram(done.view.values), histogram(view.values))
    assert not ((done.view.values != view.values) & ~done.changed).any()


@dims
def test_one_swap_moves_two_patches_that_do_not_overlap(shape):
    view = View(torch.rand(shape, generator=generator()), torch.ones(shape[0], 1, *shape[2:]) > 0)
    done = patch_swap(view, generator(), swaps=1, side=5)
    assert (done.changed.flatten(1).sum(1) == 2 * 5 ** (len(shape) - 2)).all()
    assert ((done.view.values != view.values).any(1, keepdim=True) == done.changed).all()


def test_patches_too_large_for_two_are_refused():
    with pytest.raises(UsageError, match="lower `side`"):
        patch_swap(noisy((2, 1, 16, 16)), generator(), side=9)


@dims
def test_what_is_hidden_is_most_of_the_brain_and_nothing_else(shape):
    """At .75 three of four patches that hold brain, whose voxels are 0; all others are as they were."""
    view = noisy(shape)
    done = masking(view, generator(), side=4, least_ratio=0.75, most_ratio=0.75)
    pool = {2: functional.max_pool2d, 3: functional.max_pool3d}[len(shape) - 2]
    brain = pool(view.masks.float(), 4, ceil_mode=True).flatten(1).sum(1)
    hidden = pool(done.changed.float(), 4, ceil_mode=True).flatten(1).sum(1)
    assert ((hidden - 0.75 * brain).abs() <= 0.5).all()
    assert torch.equal(done.view.values, torch.where(done.changed, 0.0, view.values))
    assert same(View(view.values, done.view.masks), view)


@given(least=st.floats(0.6, 0.75), more=st.floats(0, 0.15), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_ratios_of_items_lie_between_those_asked_for(least, more, seed):
    view = View(torch.ones(16, 1, 40, 40), torch.ones(16, 1, 40, 40, dtype=torch.bool))
    done = masking(view, generator(seed), side=2, least_ratio=least, most_ratio=least + more)
    ratios = done.changed.flatten(1).float().mean(1)
    assert least - 2e-3 <= ratios.min() <= ratios.max() <= least + more + 2e-3


def test_an_item_of_one_patch_is_hidden_and_of_two_one_is_shown():
    masks = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    masks[0, :, 1, 1] = masks[1, :, 1, ::4] = True
    done = masking(View(torch.ones(2, 1, 8, 8), masks), generator(), side=4)
    assert done.changed.flatten(1).sum(1).tolist() == [16, 16]


@dims
def test_holes_lie_in_the_brain_and_the_rest_stays(shape):
    view = noisy(shape)
    done = inpaint(view, generator())
    assert done.changed.flatten(1).any(1).all()
    assert not (done.changed & ~view.masks).any()
    assert torch.equal(done.view.values * ~done.changed, view.values * ~done.changed)


@dims
@pytest.mark.parametrize("corrupt", [noise, deblur])
def test_noise_and_smoothing_reach_all_of_the_brain(shape, corrupt):
    view = noisy(shape)
    done = corrupt(view, generator())
    assert torch.equal(done.changed, view.masks)
    assert ((done.view.values != view.values) & view.masks).float().sum() > 0.99 * view.masks.sum()


@cubes
def test_a_rotation_undone_gives_the_item_back(shape):
    view = noisy(shape)
    turned = rotation(view, generator())
    assert same(undo_rotation(turned), view)
    assert len(set(turned.classes.tolist())) > 2
    still = (turned.view.values == view.values).flatten(1).all(1)
    assert torch.equal(still, turned.classes == 0)


@pytest.mark.parametrize(("n_axes", "count"), [(2, 4), (3, 10)])
def test_all_classes_of_rotation_look_different(n_axes, count):
    item = torch.rand([4] * n_axes, generator=generator())
    looks = {
        tuple(torch.rot90(item, quarters, plane).flatten().tolist()) for quarters, plane in ROTATIONS[n_axes]
    }
    assert len(looks) == len(ROTATIONS[n_axes]) == count


def test_items_of_unequal_sides_are_not_rotated():
    with pytest.raises(UsageError, match="sides are equal"):
        rotation(noisy(SHAPES[3]), generator())


@pytest.mark.parametrize(("n_tiles", "least"), [(4, 2), (8, 6), (9, 7)])
def test_permutations_are_distinct_and_far_apart(n_tiles, least):
    found = unlike_permutations(n_tiles, 64)
    assert len(found) == min(64, factorial(n_tiles))
    assert (np.sort(found, axis=1) == np.arange(n_tiles)).all()
    distance = (found[:, None] != found[None]).sum(axis=2)
    assert distance[~np.eye(len(found), dtype=bool)].min() >= least
    if n_tiles < 9:  # which takes a second
        unlike_permutations.cache_clear()
        assert np.array_equal(unlike_permutations(n_tiles, 64), found)


@pytest.mark.parametrize(
    ("shape", "tiles"), [((12, 1, 12, 12), 2), ((12, 2, 18, 15), 3), ((12, 1, 8, 10, 12), 2)]
)
def test_a_puzzle_without_gaps_can_be_put_together_by_its_class(shape, tiles):
    view = noisy(shape)
    done = jigsaw(view, generator(), tiles=tiles, gap=0)
    orders = unlike_permutations(tiles ** (len(shape) - 2), 64)
    cells = [side // tiles for side in shape[2:]]
    for item, before, number in zip(done.view.values, view.values, done.classes, strict=True):
        for place, source in enumerate(orders[number]):
            here, there = (box(int(n), tiles, cells) for n in (place, source))
            assert torch.equal(item[(slice(None), *here)], before[(slice(None), *there)])


def box(number: int, tiles: int, cells: list[int]) -> list[slice]:
    """Where a tile lies, numbered along the last axis first."""
    places = np.unravel_index(number, [tiles] * len(cells))
    return [slice(at * cell, (at + 1) * cell) for at, cell in zip(places, cells, strict=True)]


def test_gaps_are_empty_and_tiles_are_cut_at_a_random_place():
    """On a ramp, tiles of one class begin at different intensities, and no tile reaches another."""
    ramp = torch.arange(1.0, 25.0).expand(64, 1, 24, 24).clone()
    done = jigsaw(View(ramp, ramp > 0), generator(), tiles=2, gap=4)
    shown = done.view.masks.flatten(1).float().mean(1)
    assert torch.allclose(shown, torch.full_like(shown, (8 / 12) ** 2))
    assert (done.view.values[~done.view.masks] == 0).all()
    assert torch.equal(done.view.masks, done.view.values > 0)
    assert not done.view.masks[..., 10:14].any()
    begins = done.view.values[:, 0, 2, 2] % 12
    assert set(begins.tolist()) == {1, 2, 3, 4, 5}


def test_puzzles_of_tiles_shorter_than_the_gap_or_too_many_are_refused():
    with pytest.raises(UsageError, match="gap of 2"):
        jigsaw(noisy((2, 1, 6, 6)), generator(), tiles=3)
    with pytest.raises(UsageError, match="27 tiles"):
        jigsaw(noisy((2, 1, 12, 12, 12)), generator(), tiles=3)


@dims
def test_shuffling_keeps_every_intensity_within_its_window(shape):
    view = View(torch.rand(shape, generator=generator()), torch.ones(shape[0], 1, *shape[2:]) > 0)
    places = torch.arange(float(np.prod(shape[2:]))).view(shape[2:]).expand(shape).clone()
    moved = shuffle_pixels(View(places, view.masks), generator(), window=4, share=1.0).values
    assert torch.equal(histogram(moved), histogram(places))
    whole = np.prod([(side - 3) // 4 * 4 / side for side in shape[2:]])  # windows from any first voxel fit
    assert float((moved != places).float().mean()) == pytest.approx(whole, rel=0.1)
    steps = np.array(np.unravel_index(moved.long().numpy(), shape[2:]))
    steps -= np.array(np.unravel_index(places.long().numpy(), shape[2:]))
    assert abs(steps).max() == 3


@dims
def test_a_bent_contrast_is_monotone_and_keeps_the_range(shape):
    view = noisy((40, *shape[1:]))
    bent = bend(view, generator())
    falls = 0
    for item, before, mask in zip(bent.values, view.values, view.masks, strict=True):
        inside, was = item[0][mask[0]], before[0][mask[0]]
        steps = inside[was.argsort()].diff()
        assert (steps >= -1e-6).all() or (steps <= 1e-6).all()
        falls += bool(steps.sum() < 0)
        torch.testing.assert_close(inside.aminmax(), was.aminmax(), atol=1e-5, rtol=0)
    assert 8 < falls < 32
    assert torch.equal(bent.values * ~view.masks, view.values * ~view.masks)


@dims
def test_genesis_stays_in_the_brain_and_in_its_range_of_intensities(shape):
    view = noisy(shape)
    done = genesis(view, generator())
    assert not (done.changed & ~view.masks).any()
    assert done.changed.flatten(1).any(1).float().mean() > 0.8
    assert -1e-5 <= done.view.values.min() <= done.view.values.max() <= 1 + 1e-5


@dims
def test_genesis_paints_inside_or_around(shape):
    alone = {"bend_probability": 0.0, "shuffle_probability": 0.0, "paint_probability": 1.0}
    view = noisy((20, *shape[1:]))
    middle = sum(place.square() for place in offsets(shape[2:])) < 0.2
    for inpaint_share, is_inside in ((1.0, True), (0.0, False)):
        painted = genesis(view, generator(), inpaint_share=inpaint_share, **alone).changed[:, 0]
        in_the_middle = painted[:, middle].float().mean()
        outside_it = painted[:, view.masks[0, 0] & ~middle].float().mean()
        assert (in_the_middle > outside_it) == is_inside
        assert 0.05 < painted[view.masks[:, 0]].float().mean() < 0.6


@dims
def test_places_are_drawn_evenly_from_the_mask(shape):
    masks = noisy(shape).masks[:1]
    voxels = random_voxels(masks, generator(), 20_000)[0]
    counts = torch.zeros(masks.shape[2:])
    counts.index_put_(tuple(voxels.unbind(1)), torch.ones(len(voxels)), accumulate=True)
    assert not counts[~masks[0, 0]].any()
    expected = len(voxels) / float(masks.sum())
    chi_squared = float(((counts - expected).square() / expected)[masks[0, 0]].sum())
    freedom = float(masks.sum()) - 1
    assert abs(chi_squared - freedom) < 4 * (2 * freedom) ** 0.5


def test_boxes_have_the_sides_asked_for():
    masks = torch.ones(50, 1, 40, 60, dtype=torch.bool)
    found = random_boxes(masks, generator(), count=1, least_side=0.5, most_side=0.5)
    heights, widths = found.any(3).sum(2).flatten(), found.any(2).sum(2).flatten()
    assert heights.max() <= 21
    assert widths.max() <= 31
    assert heights.max() >= 20
    assert widths.max() >= 30
