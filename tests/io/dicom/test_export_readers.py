"""Readers that share no code with ours put DICOM results where the scan lies."""

import shutil
import subprocess

import nibabel
import numpy as np
import pytest
from helpers.dicom_maker import make_slices, make_voxels, write_slices

from medunsup.core.labels import TISSUES
from medunsup.io.dicom.export_codes import FROM_LABELS, ML, VOLUME, segment_of
from medunsup.io.dicom.export_objects import write_map, write_segmentation
from medunsup.io.dicom.export_report import Judgement, MeasuredSegment, Quantity, write_report
from medunsup.io.dicom.export_source import read_source
from medunsup.io.load import load

PLANES = {
    "axial": (1, 0, 0, 0, 1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
    "oblique": (0.96, 0.28, 0.0, -0.168, 0.576, -0.8),
}
needs_dcm2niix = pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="dcm2niix is not installed")
needs_dicom3tools = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="no dicom3tools")
needs_dcmtk = pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not installed")


# What dicom3tools of 2022 says of a label map, a kind that came into the standard in 2023: it does not know
# the class, and holds the background, which there has the number 0, for a segment that is numbered wrongly.
OF_LABEL_MAPS = [
    "Error - Information Object Not found",
    "Error - SegmentNumber not monotonically increasing from one by one - "
    "have SegmentSequence item number 1 (from one) with SegmentNumber of 0",
]


def errors(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr, "it says of each file what kind it is"
    return [line for line in done.stderr.splitlines() if line.startswith("Error")]


@pytest.fixture(params=PLANES)
def exported(request, tmp_path):
    """A labelled block near one corner of a scan, as NIfTI axes and as DICOM files, the report last."""
    slices = make_slices(make_voxels((7, 5, 6)), orientation=PLANES[request.param])
    folder = write_slices(slices, tmp_path / "scan")
    scan, source = load(folder), read_source(folder)
    data = np.zeros(scan.shape, np.uint8)
    data[1:3, 1:2, 1:4] = 2
    frames = source.frames(scan.like(data, kind="label"))
    segment = [segment_of(TISSUES[1])]
    binary = write_segmentation(source, frames, segment, tmp_path / "binary" / "a.dcm", "BINARY")
    measured = MeasuredSegment(segment[0], [Quantity(VOLUME, 1.5, ML, FROM_LABELS)], binary)
    files = (
        write_segmentation(source, frames, segment, tmp_path / "labelmap" / "a.dcm"),
        binary,
        write_map(source, frames / np.float32(2), tmp_path / "map" / "a.dcm", name="x", quantity="q"),
        write_report(source, [measured], tmp_path / "report" / "a.dcm", Judgement("check", ("Ghosts.",))),
    )
    return scan.like(data), files


@needs_dcm2niix
def test_dcm2niix_finds_each_voxel_at_its_place(exported):
    truth, (*files, _) = exported
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


@needs_dicom3tools
def test_each_file_is_as_the_standard_defines_its_kind(exported):
    label_map, *others = exported[1]
    assert set(errors("dciodvfy", label_map)) <= set(OF_LABEL_MAPS)
    for file in others:
        assert not errors("dciodvfy", file), file


@needs_dicom3tools
def test_all_files_say_the_same_of_patient_and_study(exported, tmp_path):
    assert not errors("dcentvfy", *sorted((tmp_path / "scan").iterdir()), *exported[1])
