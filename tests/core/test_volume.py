"""Volumes and grids: where voxels lie, and the way back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.core.errors import GeometryError
from medunsup.core.geometry import Grid, check_same_grid, distance_mm
from medunsup.core.volume import Source, Volume, to_ras

AFFINE = np.array([[0, -1.5, 0, 40.0], [0, 0, 2, -7], [-0.8, 0, 0, 12], [0, 0, 0, 1.0]])
finite = st.floats(-3, 3)


def test_a_grid_knows_its_spacing_volume_and_centre():
    grid = Grid((5, 3, 2), AFFINE)
    assert grid.spacing_mm == (0.8, 1.5, 2.0)
    assert grid.voxel_volume_mm3 == pytest.approx(2.4)
    assert grid.center_mm == pytest.approx([38.5, -6.0, 10.4])


def test_a_volume_is_printed_in_one_short_line():
    volume = Volume(np.zeros((5, 3, 2), np.float32), AFFINE, "score")
    assert repr(volume) == "<Volume: score, 5 x 3 x 2 voxels of 0.8 x 1.5 x 2 mm>"


def test_grids_are_the_same_if_every_voxel_is():
    grid = Grid((5, 3, 2), AFFINE)
    near, far = AFFINE.copy(), AFFINE.copy()
    near[0, 3] += 5e-4
    far[2, 0] += 1e-3  # small a voxel, but four voxels along it is seen
    assert grid.is_close(Grid((5, 3, 2), near))
    assert not grid.is_close(Grid((5, 3, 2), far))
    assert not grid.is_close(Grid((5, 2, 3), AFFINE))
    assert distance_mm(grid, Grid((5, 3, 2), far)) == pytest.approx(4e-3)


def test_different_grids_are_named_with_their_shapes_and_spacings():
    with pytest.raises(GeometryError, match=r"the mask.*\(5, 3, 2\) at 0\.80 × 1\.50 × 2\.00 mm.*Resample"):
        check_same_grid(Grid((5, 3, 2), AFFINE), Grid((1, 1, 1), AFFINE), "the scan and the mask")


@given(st.lists(finite, min_size=9, max_size=9), st.tuples(*[st.integers(1, 4)] * 3))
def test_turning_to_ras_moves_no_voxel_in_the_world_and_can_be_undone(values, shape):
    affine = np.eye(4)
    affine[:3, :3] = np.array(values).reshape(3, 3)
    if abs(np.linalg.det(affine)) < 1e-2:
        return
    data = np.arange(np.prod(shape)).reshape(shape)
    moved, ras, axes, flips = to_ras(data, affine)
    value = int(moved[0, -1, 0])
    place = ras @ [0, moved.shape[1] - 1, 0, 1]
    assert place == pytest.approx(affine @ [*np.unravel_index(value, shape), 1], abs=1e-9)
    source = Source("scan.nii", "nifti", Grid(shape, affine), axes, flips)
    back, back_affine = Volume(moved, ras, source=source).in_source_space()
    assert np.array_equal(back, data)
    assert back_affine is affine


def test_a_map_like_a_scan_keeps_its_place_and_must_have_its_shape():
    scan = Volume(np.zeros((5, 3, 2), np.float32), AFFINE)
    mask = scan.like(np.ones((5, 3, 2), bool), kind="mask")
    assert mask.kind == "mask"
    assert mask.affine is scan.affine
    with pytest.raises(GeometryError, match=r"shape \(5, 3, 2\), got \(5, 3, 3\)"):
        scan.like(np.ones((5, 3, 3)))


def test_a_volume_has_three_axes():
    with pytest.raises(GeometryError, match="three axes"):
        Volume(np.zeros((5, 3)), AFFINE)


def test_a_map_that_was_cut_since_is_not_put_where_it_does_not_belong():
    grid = Grid((5, 3, 2), np.diag([1.0, 1, 1, 1]))
    whole = Volume(np.zeros((5, 3, 2), np.float32), grid.affine, source=Source("scan.nii", "nifti", grid))
    moved = grid.affine.copy()
    moved[0, 3] = 1
    for part in (replace(whole, data=whole.data[1:]), replace(whole, affine=moved)):
        with pytest.raises(GeometryError, match="the map and the scan it came from lie on different grids"):
            part.in_source_space()
