"""Features of voxels: what lies outside changes nothing, units are millimetres, one slice will do."""

import numpy as np
import pytest

from medunsup.features.voxels import voxel_features

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(10, 9, 8)).clip(
    -1, 1
)  # many voxels at both ends, so that copies change no percentile


def test_what_lies_outside_the_mask_changes_nothing():
    mask = np.zeros(IMAGE.shape, bool)
    mask[2:8, 2:7, 2:6] = True
    changed = np.where(mask, IMAGE, 1000.0)
    for one, other in zip(
        voxel_features(IMAGE, mask, (1, 1, 1))[1].T,
        voxel_features(changed, mask, (1, 1, 1))[1].T,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_features_are_standardised_and_named_by_scale():
    names, rows = voxel_features(IMAGE, np.ones(IMAGE.shape, bool), (1, 1, 1), scales_mm=(2.0,))
    assert names == ("intensity", "mean_2mm", "sd_2mm", "gradient_2mm")
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(rows.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("axis", range(3))
def test_one_slice_has_the_features_of_a_slab_that_repeats_it(axis):
    slab = np.repeat(IMAGE.take([4], axis), 7, axis)
    single = IMAGE.take([4], axis)
    _, of_slab = voxel_features(slab, np.ones(slab.shape, bool), (1, 1, 1))
    _, of_one = voxel_features(single, np.ones(single.shape, bool), (1, 1, 1))
    middle = of_slab.reshape(*slab.shape, -1).take([3], axis).reshape(len(of_one), -1)
    np.testing.assert_allclose(of_one, middle, atol=1e-3)
