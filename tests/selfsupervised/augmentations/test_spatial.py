"""Facts of what moves voxels: crop, flips, rotation, and all of them at once."""

import math

import pytest
import torch
from helpers.views import SHAPES, blob, centre_of_mass, generator, noisy, same
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.augmentations.crop import crop_and_resize
from medunsup.selfsupervised.augmentations.flip import flip
from medunsup.selfsupervised.augmentations.presets import Augmentations, augment
from medunsup.selfsupervised.augmentations.resample import Affine, _voxel_by_voxel, resample
from medunsup.selfsupervised.augmentations.rotation import rotate
from medunsup.training.learner import View

dims = pytest.mark.parametrize("shape", SHAPES.values(), ids=["2D", "3D"])
BLOBS = {2: (16, 1, 48, 40), 3: (8, 1, 32, 36, 40)}
ALL = Augmentations(
    crop=1, crop_least=0.6, stretch=1.3, flip=0.5, flip_axes=("I", "J"), rotation=0.7, degrees=20
)
STEPS = {
    "crop": lambda view, drawn: crop_and_resize(view, drawn, least_share=0.6),
    "crop to another size": lambda view, drawn: crop_and_resize(
        view, drawn, size=tuple(side + 7 for side in view.values.shape[2:]), least_share=0.6
    ),
    "flip": lambda view, drawn: flip(view, drawn, axes=("I", "J")),
    "rotate": lambda view, drawn: rotate(view, drawn, degrees=25),
    "all": lambda view, drawn: augment(view, drawn, ALL),
    "smooth as well": lambda view, drawn: augment(view, drawn, ALL.model_copy(update={"blur": 0.5})),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("shape", BLOBS.values(), ids=["2D", "3D"])
def test_values_and_mask_move_together(step, shape):
    view = blob(shape)
    moved = STEPS[step](view, generator())
    apart = centre_of_mass(moved.values) - centre_of_mass(moved.masks)
    assert apart.abs().max() < 0.5  # voxels
    where = centre_of_mass(moved.masks) - centre_of_mass(view.masks)
    assert where.abs().max() > 1


@dims
@pytest.mark.parametrize("axes", [("I",), ("J",), ("I", "J")])
def test_flipping_twice_gives_the_item_back(shape, axes):
    view = noisy(shape)
    once = flip(view, generator(), axes=axes, probability=1.0)
    assert torch.equal(once.values, view.values.flip(["IJK".index(axis) + 2 for axis in axes]))
    assert same(flip(once, generator(), axes=axes, probability=1.0), view)


@dims
def test_flips_as_part_of_a_resampling_are_exact(shape):
    view = noisy(shape)
    done = augment(view, generator(), Augmentations(flip=1.0, flip_axes=("J",)))
    assert same(done, View(view.values.flip(3), view.masks.flip(3)))


def test_a_flip_along_an_axis_that_images_do_not_have_is_refused():
    with pytest.raises(UsageError, match="no axis 'K'; take some of I, J"):
        flip(noisy(SHAPES[2]), generator(), axes=("K",))


@dims
@given(seed=st.integers(0, 1000), share=st.floats(0.1, 1.0), bigger=st.integers(-6, 6))
@settings(max_examples=20, deadline=None)
def test_a_crop_shows_nothing_from_outside_the_scan(shape, seed, share, bigger):
    """A mask that fills the scan fills every crop, and no intensity is new."""
    values = 0.5 + torch.rand(shape, generator=generator(seed))
    view = View(values, torch.ones_like(values[:, :1], dtype=torch.bool))
    size = tuple(side + bigger for side in shape[2:])
    crop = crop_and_resize(view, generator(seed), size=size, least_share=share, stretch=1.5)
    assert crop.masks.all()
    assert crop.values.shape[2:] == size
    assert values.min() - 1e-5 <= crop.values.min() <= crop.values.max() <= values.max() + 1e-5


@dims
def test_a_crop_holds_the_share_of_the_scan_asked_for(shape):
    """On a ramp the slopes tell how long the crop's sides were."""
    ramps = [torch.arange(side).float() for side in shape[2:]]
    shares = torch.ones(200)
    for axis, ramp in enumerate(ramps):
        values = ramp.view([-1 if one == axis else 1 for one in range(len(ramps))]).expand(200, 1, *shape[2:])
        view = View(values, torch.ones_like(values, dtype=torch.bool))
        crop = crop_and_resize(view, generator(), least_share=0.3, most_share=0.6, stretch=1.0)
        middle = [side // 2 for side in shape[2:]]
        after = [at + (one == axis) for one, at in enumerate(middle)]
        shares *= crop.values[(slice(None), 0, *after)] - crop.values[(slice(None), 0, *middle)]
    assert 0.3 - 1e-4 < shares.min() < 0.35
    assert 0.55 < shares.max() < 0.6 + 1e-4


def test_a_rotation_agrees_with_scipy():
    view = blob((1, 1, 40, 40))
    angle = math.radians(20)
    matrix = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = torch.tensor([19.5, 19.5])
    turned = resample(view, Affine(matrix[None], middle[None]), (40, 40))
    expected = ndimage.affine_transform(
        view.values[0, 0].numpy(), matrix.numpy(), (middle - matrix @ middle).numpy(), order=1, mode="nearest"
    )
    torch.testing.assert_close(turned.values[0, 0], torch.tensor(expected), atol=1e-4, rtol=0)


@dims
def test_both_ways_to_resample_agree(shape):
    """Axis by axis without rotation, voxel by voxel with: the same where nothing is rotated."""
    view = noisy(shape)
    size = tuple(side - 3 for side in shape[2:])
    n_axes = len(size)
    steps = 0.4 + torch.rand(shape[0], n_axes, generator=generator(1))
    centre = torch.tensor(shape[2:]) / 2 + torch.rand(shape[0], n_axes, generator=generator(2))
    affine = Affine(torch.diag_embed(steps), centre)
    one, other = resample(view, affine, size), _voxel_by_voxel(view, affine, size, [])
    torch.testing.assert_close(one.values, other.values, atol=1e-4, rtol=0)
    assert (one.masks == other.masks).float().mean() > 0.999


def test_items_with_and_without_rotation_may_be_in_one_batch():
    view = blob(BLOBS[2])
    half = rotate(view, generator(), degrees=30, probability=0.5)
    still = (half.values == view.values).flatten(1).all(1)
    assert 0 < still.sum() < len(still)
    assert torch.equal(half.masks[still], view.masks[still])


@dims
def test_what_a_rotation_brings_in_is_outside_the_mask(shape):
    view = View(torch.ones(shape), torch.ones(shape[0], 1, *shape[2:], dtype=torch.bool))
    turned = rotate(view, generator(), degrees=45)
    assert not turned.masks.all()
    assert torch.allclose(turned.values, torch.ones(()))  # the edge goes on, no dark corners
