"""Readers that share no code with ours put DICOM results where the scan lies."""

import shutil
import subprocess

import nibabel
import numpy as np
import pytest
from helpers.dicom_maker import make_slices, make_voxels, write_slices

from medunsup.core.labels import TISSUES
from medunsup.io.dicom.export_codes import segment_of
from medunsup.io.dicom.export_objects import write_map, write_segmentation
from medunsup.io.dicom.export_source import read_source
from medunsup.io.load import load

PLANES = {
    "axial": (1, 0, 0, 0, 1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
    "oblique": (0.96, 0.28, 0.0, -0.168, 0.576, -0.8),
}
needs_dcm2niix = pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="dcm2niix is not installed")
needs_dcmtk = pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not installed")


@pytest.fixture(params=PLANES)
def exported(request, tmp_path):
    """A labelled block near one corner of a scan, as NIfTI axes and as three DICOM files."""
    slices = make_slices(make_voxels((7, 5, 6)), orientation=PLANES[request.param])
    folder = write_slices(slices, tmp_path / "scan")
    scan, source = load(folder), read_source(folder)
    data = np.zeros(scan.shape, np.uint8)
    data[1:3, 1:2, 1:4] = 2
    frames = source.frames(scan.like(data, kind="label"))
    segment = [segment_of(TISSUES[1])]
    files = (
        write_segmentation(source, frames, segment, tmp_path / "labelmap" / "a.dcm"),
        write_segmentation(source, frames, segment, tmp_path / "binary" / "a.dcm", "BINARY"),
        write_map(source, frames / np.float32(2), tmp_path / "map" / "a.dcm", name="x", quantity="q"),
    )
    return scan.like(data), files


@needs_dcm2niix
def test_dcm2niix_finds_each_voxel_at_its_place(exported):
    truth, files = exported
    wanted = truth.affine @ np.r_[np.argwhere(truth.data).mean(axis=0), 1]
    version = subprocess.run(["dcm2niix", "-v"], capture_output=True, text=True, check=False).stdout
    reads_rle = "v1.0.2022" not in version  # that one makes other voxels of compressed label maps
    for file in files if reads_rle else files[1:]:
        done = subprocess.run(
            ["dcm2niix", "-b", "n", "-f", "out", file.parent], capture_output=True, text=True, timeout=60
        )
        (converted,) = file.parent.glob("out*.nii")
        image = nibabel.load(converted)
        where = np.argwhere(np.asarray(image.dataobj).squeeze() > 0)
        assert len(where) == (truth.data > 0).sum(), done.stdout
        np.testing.assert_allclose(image.affine @ np.r_[where.mean(axis=0), 1], wanted, atol=1e-3)


@needs_dcmtk
def test_dcmtk_reads_each_file_without_an_error(exported):
    for file in exported[1]:
        done = subprocess.run(["dcmdump", "-q", file], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0
        assert not done.stderr
