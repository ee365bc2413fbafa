"""A scan as it comes from the scanner, a folder of DICOM files, is looked at like any other."""

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from helpers import dicom_maker

from medunsup.workflows.detect.scan import detect


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


@pytest.fixture
def series(patient: Path, tmp_path: Path) -> Path:
    """The patient's scan as a DICOM series, 12 bits a voxel, columns to the left, rows to the back."""
    scan = nibabel.as_closest_canonical(nibabel.load(patient))
    values = scan.get_fdata()[::-1, ::-1]
    voxels = np.round(values / values.max() * 4000).astype(np.uint16)
    x, y, z = scan.header.get_zooms()
    corner = scan.affine @ [*(np.array(scan.shape[:2]) - 1), 0, 1]
    origin = (-corner[0], -corner[1], corner[2])
    slices = dicom_maker.make_slices(voxels, origin=origin, spacing=(float(y), float(x)), gap=float(z))
    return dicom_maker.write_slices(slices, tmp_path / "series")


def test_a_dicom_series_gives_what_its_nifti_gives(trained, patient, series):
    from_dicom, from_nifti = detect(series, trained), detect(patient, trained)
    assert from_dicom.image.grid.is_close(from_nifti.image.grid)
    assert from_dicom.contrast == "T1w"
    assert from_dicom.scan.p_value == from_nifti.scan.p_value
    scores = [each.score.data[from_nifti.brain.data] for each in (from_dicom, from_nifti)]
    assert np.corrcoef(scores)[0, 1] > 0.999
    first, other = from_dicom.findings[0], from_nifti.findings[0]
    assert np.linalg.norm(np.subtract(first.center_mm, other.center_mm)) < 2


def test_what_the_scanner_calls_another_part_of_the_body_is_out_of_distribution(trained, series):
    for path in series.iterdir():
        slice_ = pydicom.dcmread(path)
        slice_.BodyPartExamined = "SHOULDER"
        slice_.save_as(path)
    result = detect(series, trained, alpha=0.5)
    assert "body" in {flag.name for flag in result.flags}
    assert "the shoulder, not the head" in result.flags[0].sentence
    assert result.is_anomalous is None


def test_files_of_a_dicom_series_lie_in_native_space_and_do_not_name_the_patient(trained, series, tmp_path):
    before = {path.name: path.read_bytes() for path in series.iterdir()}
    detect(series, trained, tmp_path / "out")
    (found,) = (tmp_path / "out").rglob("*desc-anomaly_mask.nii.gz")
    first = pydicom.dcmread(series / "IM0001.dcm")
    corner = np.array([-1, -1, 1]) * np.array(first.ImagePositionPatient, dtype=float)
    np.testing.assert_allclose(nibabel.load(found).affine[:3, 3], corner, atol=1e-4)
    assert nibabel.aff2axcodes(nibabel.load(found).affine) == ("L", "P", "S")
    texts = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(texts) > 5
    assert not any(b"Secret" in text or b"ID-4711" in text for text in texts)
    assert {path.name: path.read_bytes() for path in series.iterdir()} == before
