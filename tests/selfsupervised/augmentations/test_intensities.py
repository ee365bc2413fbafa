"""Facts of what changes intensities: noise, smoothing, brightness, holes, edges."""

import numpy as np
import pytest
import torch
from helpers.views import SHAPES, generator, noisy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medunsup.selfsupervised.augmentations.blur import blur
from medunsup.selfsupervised.augmentations.cutout import cutout
from medunsup.selfsupervised.augmentations.intensity import change_intensity
from medunsup.selfsupervised.augmentations.noise import add_noise
from medunsup.selfsupervised.augmentations.sobel import sobel
from medunsup.training.learner import View

dims = pytest.mark.parametrize("shape", SHAPES.values(), ids=["2D", "3D"])


def axes_of(values: torch.Tensor) -> tuple[int, ...]:
    return tuple(range(2, values.ndim))


@dims
@given(seed=st.integers(0, 1000), most=st.floats(0.01, 12.0))
@settings(max_examples=20, deadline=None)
def test_smoothing_keeps_the_mean_and_lowers_the_spread(shape, seed, most):
    view = noisy(shape, seed)
    smooth = blur(view, generator(seed), most_voxels=most).values
    axes = axes_of(smooth)
    torch.testing.assert_close(smooth.mean(axes), view.values.mean(axes), atol=1e-5, rtol=0)
    assert (smooth.std(axes) <= view.values.std(axes) + 1e-6).all()


@dims
def test_smoothing_is_that_of_scipy(shape):
    view = noisy(shape)
    smooth = blur(view, generator(), least_voxels=1.3, most_voxels=1.3).values
    expected = ndimage.gaussian_filter(
        view.values.numpy(), sigma=1.3, axes=axes_of(smooth), mode="reflect", radius=6
    )
    np.testing.assert_allclose(smooth.numpy(), expected, atol=1e-5)


@dims
def test_noise_has_the_deviation_asked_for_inside_the_mask_and_none_outside(shape):
    view = noisy((shape[0], 1, *(2 * side for side in shape[2:])))
    added = add_noise(view, generator(), least_sd=0.5, most_sd=0.5).values - view.values
    assert (added * ~view.masks == 0).all()
    for noise, values, mask in zip(added, view.values, view.masks, strict=True):
        assert float(noise[mask].std() / values[mask].std()) == pytest.approx(0.5, rel=0.1)


@dims
@given(scale=st.floats(0.01, 1000), offset=st.floats(-5, 5), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_strengths_do_not_depend_on_the_unit_of_intensities(shape, scale, offset, seed):
    view = noisy(shape)
    other = View(scale * (view.values + offset), view.masks)
    for change in (change_intensity, add_noise, cutout):
        expected = scale * (change(view, generator(seed)).values + offset)
        done = change(other, generator(seed)).values
        torch.testing.assert_close(done, expected, atol=1e-3 * scale, rtol=0)


@dims
def test_gamma_keeps_the_darkest_and_the_brightest(shape):
    view = noisy(shape)
    bent = change_intensity(view, generator(), contrast=0, shift=0, gamma=0.5)
    assert (bent.values * ~view.masks == 0).all()
    for item, before, mask in zip(bent.values, view.values, view.masks, strict=True):
        for channel, old in zip(item, before, strict=True):
            inside, was = channel[mask[0]], old[mask[0]]
            assert (inside[was.argsort()].diff() >= 0).all()
            torch.testing.assert_close(inside.aminmax(), was.aminmax(), atol=1e-5, rtol=0)
            assert not torch.allclose(inside, was, atol=1e-3)


@dims
def test_contrast_scales_the_spread_and_shift_moves_the_mean(shape):
    view = noisy(shape)
    item, mask = view.values[0, 0], view.masks[0, 0]
    spread = change_intensity(view, generator(), contrast=0.4, shift=0, gamma=0).values[0, 0]
    assert float(spread[mask].mean()) == pytest.approx(float(item[mask].mean()), abs=1e-5)
    assert 0.6 <= float(spread[mask].std() / item[mask].std()) <= 1.4
    moved = change_intensity(view, generator(), contrast=0, shift=0.4, gamma=0).values[0, 0] - item
    assert moved[mask].std() < 1e-5
    assert 1e-3 < abs(float(moved[mask].mean())) <= 0.4 * float(item[mask].std())


@dims
def test_a_hole_lies_in_the_mask_and_holds_the_mean(shape):
    view = noisy(shape)
    holed = cutout(view, generator(), least_side=0.3, most_side=0.3).values
    changed = (holed != view.values).any(1, keepdim=True)
    assert not (changed & ~view.masks).any()
    for item, before, mask, hole in zip(holed, view.values, view.masks, changed, strict=True):
        assert hole.any()
        torch.testing.assert_close(item[0][hole[0]].mean(), before[0][mask[0]].mean(), atol=1e-5, rtol=0)
        assert item[0][hole[0]].std() < 1e-5


@dims
def test_edges_of_a_ramp_are_its_slope(shape):
    """3, 4 and 12 a voxel along the axes: the gradient's length is 5 in 2D and 13 in 3D."""
    slopes = (3.0, 4.0, 12.0)[: len(shape) - 2]
    places = torch.meshgrid(*(torch.arange(side) for side in shape[2:]), indexing="ij")
    ramp = sum(slope * place for slope, place in zip(slopes, places, strict=True)).expand(shape).float()
    edges = sobel(View(ramp, torch.ones_like(ramp[:, :1], dtype=torch.bool)), generator()).values
    inside = edges[(..., *[slice(1, -1)] * len(slopes))]
    torch.testing.assert_close(inside, torch.full_like(inside, {2: 5.0, 3: 13.0}[len(slopes)]))
