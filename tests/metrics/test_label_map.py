"""Label maps, masks and maps of shares are told from scans by their values, whatever they are called."""

import numpy as np
import pytest
from helpers import phantom
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.metrics.label_map import is_grey, label_map_values, may_be_labels, what_it_is

SHAPE = (32, 32, 32)
BRAIN = sum((axis - 15.5) ** 2 for axis in np.indices(SHAPE)) < 15**2
IDS = [2, 3, 4, 7, 8, 10, 41, 42, 77, 1001, 1035, 2001, 11101, 12175]


def regions(seed: int, n: int) -> NDArray[np.intp]:
    """Number the voxels of a ball by the nearest of n seeds, 1 to n; 0 around it."""
    rng = np.random.default_rng(seed)
    inside = np.argwhere(BRAIN)
    seeds = inside[rng.choice(len(inside), n, replace=False)]
    grid = np.indices(SHAPE).reshape(3, -1).T
    nearest = ((grid[:, None] - seeds[None]) ** 2).sum(axis=-1).argmin(axis=1) + 1
    return np.where(BRAIN, nearest.reshape(SHAPE), 0)


def smooth_scan(seed: int, noise: float) -> NDArray[np.float32]:
    """Three tissues with shared voxels between them, and noise; 0 outside the ball."""
    rng = np.random.default_rng(seed)
    tissue = ndimage.gaussian_filter(rng.normal(size=SHAPE), 2)
    levels = np.digitize(tissue, np.quantile(tissue, [0.3, 0.6])) * 40.0 + 20
    blurred = ndimage.gaussian_filter(levels, 0.6) + rng.normal(0, noise * 100, SHAPE)
    return np.where(BRAIN, np.clip(blurred, 1, None), 0).astype(np.float32)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 999),
    n=st.integers(1, 14),
    slope=st.sampled_from([1.0, 0.5, 1 / 255, 3e-3]),
    background=st.sampled_from([0, -1, 255]),
)
def test_regions_of_one_value_are_a_label_map_whatever_the_ids_the_scale_or_the_background(
    seed, n, slope, background
):
    ids = np.random.default_rng(seed).permutation(IDS)[:n]
    data = np.concatenate([[background], ids])[regions(seed, n)]
    stored = (data * np.float32(slope)).astype(np.float32)
    assert label_map_values(stored) == n + 1


@settings(max_examples=30)
@given(
    seed=st.integers(0, 999),
    noise=st.sampled_from([0.02, 0.05, 0.1]),
    n_greys=st.sampled_from([8, 11, 23, 64, 255]),
)
def test_a_scan_of_few_grey_values_is_a_scan(seed, noise, n_greys):
    scan = smooth_scan(seed, noise)
    assert what_it_is(scan) == ""
    assert what_it_is(np.rint(scan / scan.max() * n_greys).astype(np.float32)) == ""


@settings(max_examples=20)
@given(seed=st.integers(0, 999), factor=st.sampled_from([1.5, 2, 2.5, 3]))
def test_a_scan_whose_voxels_were_repeated_to_a_finer_grid_is_a_scan(seed, factor):
    index = (np.arange(int(32 * factor)) / factor).astype(int)
    scan = np.rint(smooth_scan(seed, 0.05) * 2)
    assert what_it_is(scan[np.ix_(index, index, index)]) == ""


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), n_greys=st.sampled_from([12, 16, 23, 64]))
def test_a_scan_interpolated_to_half_its_voxels_and_stored_with_few_grey_values_is_a_scan(seed, n_greys):
    fine = ndimage.zoom(smooth_scan(seed, 0.05), 2, order=1)
    assert what_it_is(np.rint(fine / fine.max() * n_greys).astype(np.float32)) == ""


@pytest.mark.parametrize("bias", [0.0, 0.2])
@pytest.mark.parametrize("head", [False, True])
def test_a_simulated_scan_without_noise_is_a_scan(head, bias):
    anatomy = phantom.make_anatomy(spacing_mm=(3, 3, 3), head=head)
    scan = anatomy.image(noise=0, bias=bias).data
    assert what_it_is(scan) == what_it_is(np.where(anatomy.mask.data, scan, 0)) == ""


def test_a_scan_with_a_second_constant_around_it_is_a_scan():
    scan = smooth_scan(0, 0.05)
    scored = np.where(BRAIN, (scan - 60) / 30, np.float32(-0.7)).astype(np.float32)
    assert what_it_is(np.pad(scored, 12)) == ""


def test_true_tissues_and_mask_are_named_with_their_values():
    anatomy = phantom.make_anatomy(spacing_mm=(2, 2, 2), scale=0.5)
    assert what_it_is(anatomy.labels.data.astype(np.float32)) == "a label map (4 values)"
    assert what_it_is(anatomy.mask.data.astype(np.float32)) == "a mask (2 values)"


def test_shares_of_a_tissue_are_no_scan_and_a_scan_scaled_to_1_is_one():
    anatomy = phantom.make_anatomy(spacing_mm=(2, 2, 2), scale=0.5, supersample=3)
    shares = anatomy.fractions[phantom.WM].round(2)
    assert what_it_is(shares).startswith("a map of shares")
    tails = np.random.default_rng(0).uniform(0, 1e-6, shares.shape)
    assert what_it_is(np.maximum(shares, tails)).startswith("a map of shares")
    scan = anatomy.image().data
    assert what_it_is(scan / scan.max()) == ""


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), noise=st.sampled_from([0.02, 0.1]), share=st.sampled_from([0.25, 0.4, 0.6]))
def test_a_scan_of_which_much_is_clipped_and_scaled_to_1_is_a_scan(seed, noise, share):
    scan = smooth_scan(seed, noise)
    high = np.quantile(scan[BRAIN], 1 - share)
    clipped = np.clip(scan / high, 0, 1)
    assert np.isclose(clipped[BRAIN], 1).mean() > share - 0.01
    assert what_it_is(clipped) == ""


@pytest.mark.parametrize("tissue", [phantom.GM, phantom.WM])
@pytest.mark.parametrize("spacing_mm", [1.5, 2, 3])
def test_partial_volume_maps_of_thick_tissue_are_maps_whatever_the_voxel(tissue, spacing_mm):
    anatomy = phantom.make_anatomy(spacing_mm=(spacing_mm,) * 3, scale=0.5, supersample=3)
    shares = anatomy.fractions[tissue]
    assert what_it_is(shares).startswith("a map of shares")


@pytest.mark.data
@pytest.mark.slow
def test_of_the_real_data_only_maps_are_maps(data_dir):
    from medunsup.io.load import load

    words = ("mask", "manual", "FAST", "tissue", "aseg", "pve", "intracranial", "lesions", "OTMulti", "ROI")
    files = [path for path in sorted(data_dir.rglob("*.nii.gz")) if "healthy_t1_2mm" not in path.parts]
    files += sorted((data_dir / "healthy_t1_2mm").glob("sub-0[1-5]*.nii.gz"))
    files = [path for path in files if "lesion_masks_only" not in path.parts]
    told = {path: what_it_is(load(path).data) for path in files}
    named = {path: any(word in path.name for word in words) for path in files}
    assert [path.name for path in files if bool(told[path]) != named[path]] == []


@pytest.mark.data
@pytest.mark.slow
def test_real_scans_of_which_much_is_clipped_are_scans(data_dir):
    from medunsup.io.load import load

    for name in (
        "ms/patient19/FLAIR",
        "ms/patient07/T1",
        "tissue_malf/1000_T1w",
        "healthy_t1_raw/sub-52_T1w",
    ):
        scan = load(data_dir / f"{name}.nii.gz").data
        for percent in (99, 95, 90):  # of all voxels: up to 86 % of those of the brain are 1 then
            low, high = np.percentile(scan, [1, percent])
            assert what_it_is(np.clip((scan - low) / (high - low), 0, 1)) == "", (name, percent)


@pytest.mark.data
@pytest.mark.slow
def test_real_partial_volume_maps_of_another_tool_are_maps(data_dir):
    from medunsup.io.load import load

    for name in ("pve_1", "pve_2"):
        shares = load(data_dir / "tissue_silver" / "rorden" / f"{name}.nii.gz").data
        assert what_it_is(shares).startswith("a map of shares")


def test_labels_are_whole_numbers_and_few():
    assert may_be_labels(np.array([0, 1.0, 17]))
    assert not may_be_labels(np.array([0, 0.5]))
    assert not may_be_labels(np.array([0, np.nan]))
    assert not may_be_labels(np.arange(5000))


@pytest.mark.parametrize("top", [1, 3, 255, 1000])
def test_masks_and_labels_are_not_grey_smoothed_or_thin_a_scan_is(top):
    mask = BRAIN.astype(np.float32) * top
    thin = np.zeros(SHAPE, np.float32)
    thin[::3, ::3, ::3] = top
    for marked in (mask, ndimage.gaussian_filter(mask, 0.35), thin):
        assert not is_grey(marked)
    assert not is_grey(regions(0, 9).astype(np.float32) * top)
    assert is_grey(smooth_scan(0, 0.05) * 3)
    assert is_grey(np.rint(smooth_scan(1, 0.1)))
