"""Voxel-wise healthy mean and spread: NumPy's, and an inserted blob stands out."""

import numpy as np
import pytest
from helpers.healthy_arrays import SHAPE, blob, healthy, with_blob
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from medunsup.anomaly.models.healthy_atlas import HealthyAtlas
from medunsup.anomaly.voxelwise import VoxelStatistics, VoxelwiseConfig
from medunsup.core.errors import InputError
from medunsup.training.scan_stack import Scans

BARE = VoxelwiseConfig(smoothing=0, floor=0)


@pytest.fixture(scope="module")
def atlas() -> HealthyAtlas:
    return HealthyAtlas().fit(healthy(20))


def test_mean_and_spread_are_those_of_the_scans_that_cover_the_voxel():
    scans = healthy(9)
    statistics = VoxelStatistics.of(scans, BARE)
    covered = np.ma.masked_array(scans.values, ~scans.masks[:, None])
    seen = scans.masks.sum(axis=0) >= 2
    np.testing.assert_array_equal(statistics.seen, seen)
    np.testing.assert_allclose(statistics.mean[:, seen], covered.mean(axis=0)[:, seen], atol=1e-6)
    np.testing.assert_allclose(statistics.sd[:, seen], covered.std(axis=0, ddof=1)[:, seen], atol=1e-6)


@given(st.floats(1e-2, 1e3), st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_deviation_does_not_depend_on_scale_and_offset_of_the_intensities(scale, offset):
    scans, (values, mask) = healthy(6), next(iter(healthy(1, seed=3)))
    plain = VoxelStatistics.of(scans, VoxelwiseConfig()).z(values, mask)
    other = Scans(scans.values * np.float32(scale) + np.float32(offset), scans.masks)
    moved = VoxelStatistics.of(other, VoxelwiseConfig()).z(
        values * np.float32(scale) + np.float32(offset), mask
    )
    np.testing.assert_allclose(moved, plain, rtol=2e-2, atol=2e-2 * (1 + abs(offset) / scale))


def test_an_inserted_blob_is_found(atlas):
    values, mask = next(iter(with_blob(healthy(1, seed=7))))
    deviation = atlas.deviation(values, mask)
    assert average_precision_score(blob()[mask], deviation[mask]) > 0.9


def test_dark_and_bright_blobs_of_one_size_deviate_alike(atlas):
    mask = atlas.statistics_.seen
    bright, dark = (atlas.statistics_.mean + amount * blob() for amount in (0.3, -0.3))
    np.testing.assert_allclose(atlas.deviation(bright, mask), atlas.deviation(dark, mask), atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_flipped_scans_give_flipped_deviation(axis, atlas):
    scans, (values, mask) = healthy(20), next(iter(healthy(1, seed=3)))
    turned = HealthyAtlas().fit(Scans(np.flip(scans.values, axis + 2), np.flip(scans.masks, axis + 1)))
    deviation = turned.deviation(np.flip(values, axis + 1), np.flip(mask, axis))
    np.testing.assert_allclose(np.flip(deviation, axis), atlas.deviation(values, mask), atol=1e-4)


def test_healthy_scans_deviate_by_about_one_sd():
    atlas = HealthyAtlas(BARE).fit(healthy(60))
    z = np.concatenate([atlas.statistics_.z(values, mask)[0][mask] for values, mask in healthy(60)])
    assert np.sqrt((z**2).mean()) == pytest.approx(1, abs=0.05)


def test_a_voxel_that_never_varies_does_not_divide_by_zero():
    scans = Scans(np.ones((3, 1, *SHAPE), np.float32), np.ones((3, *SHAPE), bool))
    atlas = HealthyAtlas(BARE).fit(scans)
    assert not atlas.deviation(*next(iter(scans))).any()
    assert np.isfinite(atlas.deviation(2 * scans.values[0], scans.masks[0])).all()


def test_where_too_few_scans_were_seen_there_is_no_verdict(atlas):
    values, mask = np.ones((1, *SHAPE), np.float32), np.ones(SHAPE, bool)
    unseen = ~atlas.statistics_.seen
    assert unseen.any()
    assert not atlas.deviation(values, mask)[unseen].any()
    np.testing.assert_array_equal(atlas.reconstruct(values, mask)[:, unseen], 1)


def test_a_single_scan_is_refused():
    with pytest.raises(InputError, match="at least two scans"):
        HealthyAtlas().fit(healthy(1))


def test_stored_and_loaded_it_is_the_same(atlas):
    scan = next(iter(healthy(1, seed=2)))
    fresh = HealthyAtlas().load_state(atlas.state(), (1, *SHAPE))
    np.testing.assert_array_equal(fresh.deviation(*scan), atlas.deviation(*scan))
