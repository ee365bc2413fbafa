"""Distances, growing and filling agree with slower ways that look at every voxel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from medunsup.preprocess.geometry.morphology import FAR_MM, depth, dice, dilate, fill_holes

masks = arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=6))
spacings = st.tuples(*[st.sampled_from([0.7, 1.0, 3.3])] * 3)


def _distances(mask, to, spacing_mm):
    """Distance in mm of each voxel to the nearest one of `to`, by trying them all."""
    places = np.argwhere(np.ones_like(mask)) * spacing_mm
    ends = np.argwhere(to) * spacing_mm
    return np.linalg.norm(places[:, None] - ends, axis=2).min(axis=1).reshape(mask.shape)


@given(masks, masks)
@settings(max_examples=60, deadline=None)
def test_dice_counts_the_shared_voxels_of_both(one, other):
    first, second = (set(map(tuple, np.argwhere(mask))) for mask in (one, np.resize(other, one.shape)))
    wanted = 2 * len(first & second) / (len(first) + len(second)) if first or second else 0
    assert dice(one, np.resize(other, one.shape)) == wanted


@given(masks, spacings)
@settings(max_examples=60, deadline=None)
def test_depth_is_the_distance_to_the_nearest_voxel_outside(mask, spacing_mm):
    expected = np.full(mask.shape, FAR_MM) if mask.all() else _distances(mask, ~mask, spacing_mm)
    np.testing.assert_allclose(depth(mask, spacing_mm), expected, rtol=1e-6)


@given(masks, spacings, st.sampled_from([0.5, 1.2, 2.5, 7.2]))
@settings(max_examples=60, deadline=None)
def test_a_mask_grows_by_all_voxels_within_the_radius(mask, spacing_mm, radius_mm):
    expected = _distances(mask, mask, spacing_mm) <= radius_mm if mask.any() else mask
    np.testing.assert_array_equal(dilate(mask, radius_mm, spacing_mm), expected)


@given(masks)
@settings(max_examples=60, deadline=None)
def test_holes_are_what_no_way_through_faces_leads_out_of(mask):
    np.testing.assert_array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))
