"""Working copies stay where they are in the world and keep what they average."""

import numpy as np
import pytest

from medunsup.core.errors import InputError
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.morphology import closing, erode, largest_component, opening
from medunsup.preprocess.geometry.resample import (
    bounding_box,
    centroid_mm,
    crop,
    refine_thick_axes,
    resampled,
    shrink,
)
from medunsup.preprocess.intensity.normalize import winsorize_and_scale


@pytest.fixture
def blob() -> Volume:
    i, j, k = np.meshgrid(*(np.arange(n) for n in (24, 28, 20)), indexing="ij")
    data = np.exp(-(((i - 11) / 5) ** 2 + ((j - 15) / 6) ** 2 + ((k - 9) / 4) ** 2)).astype(np.float32)
    return Volume(
        data, np.array([[1, 0.1, 0, 5], [0, 0.9, 0.2, -7], [0, 0, 1.1, 3], [0, 0, 0, 1]], dtype=float)
    )


def test_block_means_keep_the_mean_and_the_place(blob):
    small = shrink(blob, 2.0)
    assert small.shape == (12, 14, 10)
    assert small.data.mean() == pytest.approx(blob.data.mean(), rel=1e-5)
    np.testing.assert_allclose(centroid_mm(small), centroid_mm(blob), atol=1e-3)


def test_odd_sizes_keep_the_whole_field_of_view(blob):
    odd = Volume(blob.data[:23, :27, :19], blob.affine)
    assert shrink(odd, 2.0).shape == (12, 14, 10)


def test_interpolated_thick_slices_keep_the_place(blob):
    thick = shrink(blob, 4.0)
    fine = refine_thick_axes(thick, 2.0)
    assert fine.shape == tuple(2 * n for n in thick.shape)
    np.testing.assert_allclose(centroid_mm(fine), centroid_mm(thick), atol=0.1)


def test_a_crop_stays_where_it_is(blob):
    part = crop(blob, bounding_box(blob.data > 0.5, (2, 2, 2)))
    back = resampled(part, blob.grid)
    np.testing.assert_allclose(back[blob.data > 0.5], blob.data[blob.data > 0.5], atol=1e-5)


def test_maps_that_do_not_meet_leave_the_outside_value(blob):
    far = Volume(blob.data, blob.affine + np.array([[0, 0, 0, 500.0]] + [[0, 0, 0, 0]] * 3))
    assert (resampled(far, blob.grid, outside=-1) == -1).all()


def test_opening_cuts_a_bridge_and_closing_fills_a_cleft():
    mask = np.zeros((30, 20, 20), dtype=bool)
    mask[2:12, 4:16, 4:16] = mask[18:28, 4:16, 4:16] = True
    mask[12:18, 9:11, 9:11] = True
    spacing = (1.0, 1.0, 1.0)
    cut = largest_component(opening(mask, 2.0, spacing))
    assert cut.sum() < mask.sum() * 0.6
    assert closing(mask, 4.0, spacing)[15, 9, 9]
    assert closing(mask, 4.0, spacing)[15, 6, 9]


def test_the_arrays_edge_is_not_an_outside():
    assert erode(np.ones((6, 6, 6), dtype=bool), 3.0, (1.0, 1.0, 1.0)).all()


def test_scaling_ignores_the_inputs_scale_and_offset(blob):
    mask = blob.data > 0.2
    first = winsorize_and_scale(blob.data, mask)
    second = winsorize_and_scale(blob.data * 50 - 12, mask)
    np.testing.assert_allclose(first, second, atol=1e-4)
    assert (first.min(), first.max()) == (0.0, 1.0)


@pytest.mark.parametrize(("data", "mask"), [(np.ones, np.zeros), (np.ones, np.ones)])
def test_nothing_to_scale_is_an_error_not_a_nan(data, mask):
    with pytest.raises(InputError):
        winsorize_and_scale(data((4, 4, 4), dtype=np.float32), mask((4, 4, 4)).astype(bool))
