"""Whatever way a scan's axes point, its voxels lie at the same place in the world."""

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from helpers.nifti_maker import OBLIQUE, make_nifti, make_values
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.core.volume import ras_axes
from medunsup.io.load import load
from medunsup.io.nifti.write import write_volume

AXIS_ORIENTATIONS = [
    (order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)
]


def axis_affine(order, signs):
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, list(order)] * signs * np.array([1.5, 1.0, 2.25])
    affine[:3, 3] = [-31.25, 12.5, 100.0]
    return affine


def rotation(angles):
    x, y, z = angles
    turns = [
        [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]],
        [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]],
        [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]],
    ]
    return np.array(turns[0]) @ np.array(turns[1]) @ np.array(turns[2])


def assert_same_world(volume, data, affine):
    """Each voxel's value is found at the same world position as in the file."""
    index = np.argwhere(np.ones(data.shape, dtype=bool))
    world = index @ affine[:3, :3].T + affine[:3, 3]
    inverse = np.linalg.inv(volume.affine)
    moved = np.rint(world @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    assert np.array_equal(volume.data[tuple(moved.T)], data[tuple(index.T)])


@pytest.mark.parametrize(("order", "signs"), AXIS_ORIENTATIONS)
def test_all_48_axis_orientations_load_as_ras_and_go_back_exactly(order, signs, tmp_path):
    data, affine = make_values(), axis_affine(order, signs)
    volume = load(make_nifti(tmp_path / "scan.nii", data, affine))
    assert nib.aff2axcodes(volume.affine) == ("R", "A", "S")
    assert volume.data.flags.c_contiguous
    assert volume.data.dtype == np.float32
    assert_same_world(volume, data, affine)
    back, back_affine = volume.in_source_space()
    assert np.array_equal(back, data)
    assert np.array_equal(back_affine, affine)


@settings(max_examples=60, deadline=None)
@given(
    orientation=st.sampled_from(AXIS_ORIENTATIONS),
    angles=st.tuples(*[st.floats(-0.7, 0.7)] * 3),
    zooms=st.tuples(*[st.floats(0.2, 6.0)] * 3),
    offset=st.tuples(*[st.floats(-200, 200)] * 3),
    shape=st.tuples(*[st.integers(2, 6)] * 3),
)
def test_oblique_anisotropic_scans_go_back_exactly(
    orientation, angles, zooms, offset, shape, tmp_path_factory
):
    order, signs = orientation
    affine = np.eye(4)
    affine[:3, :3] = rotation(angles) @ np.eye(3)[:, list(order)] * signs * np.array(zooms)
    affine[:3, 3] = offset
    folder = tmp_path_factory.mktemp("oblique")
    scan = make_nifti(folder / "scan.nii", make_values(shape), affine)
    volume = load(scan)
    assert_same_world(volume, make_values(shape), nib.load(scan).affine)
    result = write_volume(volume, folder / "map.nii.gz")
    assert np.abs(nib.load(result).affine - nib.load(scan).affine).max() < 1e-6
    assert np.array_equal(nib.load(result).get_fdata(), make_values(shape))
    assert np.array_equal(load(result).affine, volume.affine)


def test_an_axis_is_never_used_twice_even_at_45_degrees():
    turned = np.eye(4)
    turned[:3, :3] = rotation((np.pi / 4, np.pi / 4, np.pi / 4))
    axes, _ = ras_axes(turned)
    assert sorted(axes) == [0, 1, 2]


def test_a_sheared_sform_is_kept_as_it_is(tmp_path):
    sheared = OBLIQUE.copy()
    sheared[0, 2] += 0.8
    scan = make_nifti(tmp_path / "scan.nii", affine=sheared, edit=lambda image: image.set_qform(None, 0))
    result = write_volume(load(scan), tmp_path / "map.nii")
    assert np.array_equal(nib.load(result).get_sform(), nib.load(scan).get_sform())
    assert nib.load(result).header["qform_code"] == 0
