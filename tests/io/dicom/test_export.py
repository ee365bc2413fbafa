"""DICOM results lie where the scan lies, voxel for voxel, and carry no more of the patient than they must."""

import numpy as np
import pytest
from helpers.dicom_maker import make_enhanced, make_slices, make_voxels, write_dicom, write_slices
from pydicom import dcmread

from medunsup.core.errors import GeometryError, InputError
from medunsup.core.labels import TISSUES
from medunsup.core.volume import Volume
from medunsup.io.dicom.export_codes import segment_of
from medunsup.io.dicom.export_objects import read_back, write_map, write_segmentation
from medunsup.io.dicom.export_source import read_source
from medunsup.io.load import load

TILTED = (0.96, 0.28, 0.0, -0.168, 0.576, -0.8)
PLANES = {
    "axial": (1, 0, 0, 0, 1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
    "oblique": TILTED,
}
SEGMENTS = [segment_of(label) for label in TISSUES]


def series(folder, plane="axial", **tags):
    slices = make_slices(make_voxels((7, 5, 6)), orientation=PLANES[plane], **tags)
    return write_slices(slices, folder / "scan")


def labels_on(scan: Volume) -> Volume:
    """Labels of the scan in space: by the world's axes, so that a mirror image shows; ends stay empty."""
    data = np.zeros(scan.shape, np.uint8)
    data[1:-1, 1:-1, 1:-1] = np.random.default_rng(0).integers(0, 4, tuple(n - 2 for n in scan.shape))
    return scan.like(data, kind="label")


def in_world(array, affine):
    """Centre of mass in LPS mm and the values' sum."""
    where = np.argwhere(array > 0)
    return (affine @ np.c_[where, np.ones(len(where))].mean(axis=0))[:3], array.sum()


@pytest.mark.parametrize("plane", PLANES)
def test_labels_and_maps_lie_where_the_scan_says(tmp_path, plane):
    folder = series(tmp_path, plane, SpacingBetweenSlices=9.0, PatientSex="0000")
    scan, source = load(folder), read_source(folder)
    labels = labels_on(scan)
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.affine
    frames = source.frames(labels)
    seg = write_segmentation(source, frames, SEGMENTS, tmp_path / "seg" / "a.dcm")
    pm = write_map(source, frames / np.float32(7), tmp_path / "m" / "a.dcm", name="GM", quantity="share")
    for path, scale in ((seg, 1), (pm, 7)):
        where, total = in_world(*read_back(path))
        wanted, sum_ = in_world(labels.data, ras)
        np.testing.assert_allclose(where, wanted, atol=1e-4)
        assert total * scale == pytest.approx(sum_, rel=1e-5)
        assert not (path.parent / f".{path.name}.part").exists()


@pytest.mark.parametrize("plane", PLANES)
def test_frames_of_a_map_follow_row_x_column(tmp_path, plane):
    folder = series(tmp_path, plane)
    source = read_source(folder)
    values = np.broadcast_to(np.arange(6, dtype=np.float32)[:, None, None], (6, 5, 7))
    made = dcmread(write_map(source, values, tmp_path / "m.dcm", name="x", quantity="slice"))
    stored = np.frombuffer(made.FloatPixelData, "<f4").reshape(6, -1)[:, 0]
    places = [
        np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        for frame in made.PerFrameFunctionalGroupsSequence
    ]
    normal = np.cross(PLANES[plane][:3], PLANES[plane][3:])
    assert list(stored) == [0, 1, 2, 3, 4, 5]
    assert (np.diff([place @ normal for place in places]) > 0).all()


def test_binary_holds_one_segment_and_keeps_empty_slices(tmp_path):
    folder = series(tmp_path)
    source = read_source(folder)
    frames = source.frames(labels_on(load(folder)))
    made = write_segmentation(source, frames, SEGMENTS[1:2], tmp_path / "wm.dcm", "BINARY")
    assert int(dcmread(made).NumberOfFrames) == 6
    assert read_back(made)[0].sum() == (frames == 2).sum()


def test_enhanced_sources_are_served(tmp_path):
    path = write_dicom(make_enhanced(make_voxels((7, 5, 6)), SOPInstanceUID="1.2.3.4"), tmp_path / "e.dcm")
    source = read_source(path)
    frames = source.frames(labels_on(load(path)))
    seg = write_segmentation(source, frames, SEGMENTS, tmp_path / "seg.dcm")
    pm = write_map(source, frames / np.float32(3), tmp_path / "m.dcm", name="x", quantity="q")
    for made in (seg, pm):
        assert dcmread(made).FrameOfReferenceUID == source.frame_of_reference


def test_only_required_tags_of_the_patient_are_copied(tmp_path):
    folder = series(tmp_path, PatientAge="077Y", PatientComments="private", StudyDescription="private")
    source = read_source(folder)
    frames = source.frames(labels_on(load(folder)))
    made = dcmread(write_segmentation(source, frames, SEGMENTS, tmp_path / "seg.dcm"))
    kept = {element.keyword for element in made.group_dataset(0x0010)}
    assert kept == {"PatientName", "PatientID", "PatientBirthDate", "PatientSex"}
    assert made.PatientID == "ID-4711"
    assert "private" not in str(made)


def test_a_corrected_result_has_new_uids(tmp_path):
    folder = series(tmp_path)
    source = read_source(folder)
    frames = source.frames(labels_on(load(folder)))
    made = [dcmread(write_segmentation(source, frames, SEGMENTS, tmp_path / "seg.dcm")) for _ in range(2)]
    assert made[0].SOPInstanceUID != made[1].SOPInstanceUID
    assert made[0].SeriesInstanceUID != made[1].SeriesInstanceUID


def test_a_series_that_lost_slices_is_refused(tmp_path):
    folder = series(tmp_path)
    known_by = load(folder).source.sha256
    sorted(folder.iterdir())[-1].unlink()
    with pytest.raises(InputError, match="removed"):
        read_source(folder, sha256=known_by)


def test_two_studies_are_refused(tmp_path):
    slices = make_slices(make_voxels((7, 5, 6)))
    slices[0].StudyInstanceUID = "1.2.3"
    with pytest.raises(InputError, match="2 studies"):
        read_source(write_slices(slices, tmp_path / "scan"))


def test_another_series_is_no_reference(tmp_path):
    folder = series(tmp_path)
    scan = load(folder)
    moved = scan.affine.copy()
    moved[0, 3] += 1
    with pytest.raises(GeometryError, match=r"1\.00 mm off"):
        read_source(folder).frames(Volume(scan.data, moved))


def test_uneven_slices_are_told(tmp_path):
    slices = make_slices(make_voxels((7, 5, 6)))
    slices[3].ImagePositionPatient[2] += 0.05
    told = read_source(write_slices(slices, tmp_path / "scan")).notes["warnings"]
    assert "uneven by up to 0.05 mm" in told[0]
    assert "warnings" not in read_source(series(tmp_path / "even")).notes
