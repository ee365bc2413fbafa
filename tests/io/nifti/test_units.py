"""Lengths of a NIfTI header in metres or micrometres become mm, as ITK reads them; files keep their unit."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from helpers.nifti_maker import make_nifti, set_fields
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.core.errors import GeometryError
from medunsup.io.load import load
from medunsup.io.nifti.write import write_volume

MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
LPS = np.diag([-1.0, -1.0, 1.0])


def scan_in(path, unit, affine_mm, *, codes=(1, 1)):
    """Write a scan whose place in mm is known, in the numbers of another unit."""
    affine = affine_mm.copy()
    affine[:3] /= MM[unit]

    def edit(image):
        image.set_sform(affine, codes[0])
        image.set_qform(affine, codes[1])
        image.header.set_xyzt_units(unit, "sec")

    return make_nifti(path, affine=affine, edit=edit)


@settings(max_examples=40)
@given(
    unit=st.sampled_from(list(MM)),
    spacing=st.tuples(*[st.floats(0.05, 8.0)] * 3),
    origin=st.tuples(*[st.floats(-200.0, 200.0)] * 3),
    degrees=st.floats(-40.0, 40.0),
    codes=st.sampled_from([(1, 1), (2, 0), (0, 1)]),
)
def test_every_unit_is_read_as_itk_reads_it_and_kept_in_the_result(
    tmp_path_factory, unit, spacing, origin, degrees, codes
):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) * spacing
    affine[:3, 3] = origin
    folder = tmp_path_factory.mktemp("units")
    path = scan_in(folder / "a.nii", unit, affine, codes=codes)
    scan = load(path)
    itk = sitk.ReadImage(str(path))
    theirs = LPS @ np.array(itk.GetDirection()).reshape(3, 3) * itk.GetSpacing()
    assert np.allclose(scan.source.grid.affine[:3, :3], theirs, rtol=1e-4, atol=1e-5)
    assert np.allclose(scan.source.grid.affine[:3, 3], LPS @ itk.GetOrigin(), rtol=1e-4, atol=1e-3)
    made = write_volume(scan, folder / "b.nii")
    before, after = nib.load(path).header, nib.load(made).header
    for field in (
        "pixdim",
        "srow_x",
        "srow_y",
        "srow_z",
        "qoffset_x",
        "quatern_b",
        "sform_code",
        "qform_code",
    ):
        assert np.array_equal(np.array(before[field]).ravel()[:4], np.array(after[field]).ravel()[:4])
    assert after.get_xyzt_units()[0] == (unit if unit != "unknown" else "mm")
    assert load(made).grid.is_close(scan.grid)


@pytest.mark.parametrize("unit", ["micron", "meter"])
def test_another_unit_than_mm_is_said_once_and_recorded(tmp_path, unit):
    scan = load(scan_in(tmp_path / "a.nii", unit, np.diag([0.5, 0.5, 0.8, 1])))
    assert scan.source.notes["unit"] == unit
    (warning,) = scan.source.notes["warnings"]
    assert "0.5 × 0.5 × 0.8 mm" in warning
    assert "unit" not in load(scan_in(tmp_path / "b.nii", "mm", np.diag([0.5, 0.5, 0.8, 1]))).source.notes


@pytest.mark.parametrize(("unit", "word"), [("micron", "micrometres"), ("meter", "metres")])
def test_a_unit_that_makes_the_size_impossible_is_refused_by_its_name(tmp_path, unit, word):
    path = make_nifti(tmp_path / "a.nii", edit=lambda image: image.header.set_xyzt_units(unit))
    with pytest.raises(GeometryError, match=f"1.5 × 1 × 2 {word}.*set_xyzt_units"):
        load(path)


def test_a_unit_code_that_nifti_does_not_know_means_mm(tmp_path):
    path = make_nifti(tmp_path / "a.nii")
    set_fields(path, xyzt_units=5)
    scan = load(path)
    assert scan.spacing_mm == (1.5, 1.0, 2.0)
    assert load(write_volume(scan, tmp_path / "b.nii")).spacing_mm == (1.5, 1.0, 2.0)
