"""DICOM results lie where the scan lies, voxel for voxel, and carry no more of the patient than they must."""

import numpy as np
import pytest
from helpers.dicom_maker import make_enhanced, make_slices, make_voxels, write_dicom, write_slices
from helpers.dicom_readers import LPS, READERS, check_same
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


KINDS = [("classic", plane) for plane in PLANES] + [("enhanced", "oblique")]
# Numbers of columns, rows and slices: bits that fill no byte, no row, a single row or column.
MATRICES = [(7, 5, 6), (8, 8, 2), (1, 9, 3), (13, 1, 4), (16, 17, 9)]


def series(folder, plane="axial", shape=(7, 5, 6), **tags):
    slices = make_slices(make_voxels(shape), orientation=PLANES[plane], **tags)
    return write_slices(slices, folder / "scan")


def enhanced(folder, plane="axial", shape=(7, 5, 6)):
    return write_dicom(make_enhanced(make_voxels(shape), orientation=PLANES[plane]), folder / "scan.dcm")


def labels_on(scan: Volume, seed=0) -> Volume:
    """Labels of the scan in space, by the world's axes, so that a mirror image shows."""
    return scan.like(np.random.default_rng(seed).integers(0, 4, scan.shape).astype(np.uint8), kind="label")


def without_ends(frames):
    """Empty the first and the last slice."""
    frames = frames.copy()
    frames[[0, -1]] = 0
    return frames


def on_scan(source, scan, frames):
    """Put (slice, row, column) onto the scan's own axes, by looking where each voxel of it went."""
    number = scan.like(np.arange(scan.data.size).reshape(scan.shape))
    found = np.empty(scan.data.size, frames.dtype)
    found[source.frames(number).ravel()] = frames.ravel()
    return found.reshape(scan.shape)


def export(path, folder, change=without_ends):
    """Write labels and a map of a scan; return each file with the voxels that it holds, and their affine."""
    scan, source = load(path), read_source(path)
    frames = change(source.frames(labels_on(scan)))
    values = source.frames(scan.like(np.random.default_rng(1).normal(size=scan.shape).astype(np.float32)))
    labels = on_scan(source, scan, frames)
    made = {write_segmentation(source, frames, SEGMENTS, folder / "dseg" / "a.dcm"): labels}
    for one in SEGMENTS:
        file = write_segmentation(source, frames, [one], folder / one.name / "a.dcm", "BINARY")
        made[file] = labels == one.number
    file = write_map(source, values, folder / "map" / "a.dcm", name="GM", quantity="share")
    made[file] = on_scan(source, scan, values)
    return made, LPS @ scan.affine


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def exported(request, tmp_path_factory):
    kind, plane = request.param
    folder = tmp_path_factory.mktemp(plane)
    if kind == "enhanced":
        return export(enhanced(folder, plane), folder)
    return export(series(folder, plane, SpacingBetweenSlices=9.0, PatientSex="0000"), folder)


@pytest.mark.parametrize("reader", READERS)
def test_each_voxel_lies_where_the_scan_says(exported, reader):
    files, affine = exported
    for path, wanted in files.items():
        check_same(*READERS[reader](path), wanted, affine)
        assert [file.name for file in path.parent.iterdir()] == ["a.dcm"]


@pytest.mark.parametrize("reader", READERS)
def test_what_is_empty_or_lies_on_one_slice_keeps_its_place(tmp_path, reader):
    path = series(tmp_path, "oblique")
    for number, kept in enumerate([slice(0, 0), slice(0, 1), slice(5, 6)]):

        def change(frames, kept=kept):
            some = np.zeros_like(frames)
            some[kept] = np.minimum(frames[kept], 2)  # the third label is nowhere
            return some

        files, affine = export(path, tmp_path / str(number), change)
        for file, wanted in files.items():
            check_same(*READERS[reader](file), wanted, affine)


@pytest.mark.slow
@pytest.mark.parametrize("shape", MATRICES, ids=str)
@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("write", [series, enhanced])
def test_each_voxel_of_any_matrix_lies_where_the_scan_says(tmp_path, write, plane, shape):
    path = write(tmp_path, plane, shape)
    for number, change in enumerate([without_ends, lambda frames: frames]):
        files, affine = export(path, tmp_path / str(number), change)
        for file, wanted in files.items():
            for read in READERS.values():
                check_same(*read(file), wanted, affine)


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


def test_results_of_an_enhanced_source_are_in_its_frame_of_reference(tmp_path):
    path = enhanced(tmp_path)
    source = read_source(path)
    frames = source.frames(labels_on(load(path)))
    seg = write_segmentation(source, frames, SEGMENTS, tmp_path / "seg.dcm")
    pm = write_map(source, frames / np.float32(3), tmp_path / "m.dcm", name="x", quantity="q")
    for made in (seg, pm):
        assert dcmread(made).FrameOfReferenceUID == source.frame_of_reference


def test_the_window_of_a_map_shows_its_values_from_the_lowest_to_the_highest(tmp_path):
    source = read_source(series(tmp_path))
    values = np.linspace(0.25, 0.75, 210, dtype=np.float32).reshape(6, 5, 7)
    made = dcmread(write_map(source, values, tmp_path / "m.dcm", name="x", quantity="q"))
    (window,) = made.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence
    # DICOM part 3, C.11.2.1.2.1: LINEAR, which is the default, asks for a width of 1 or more
    assert window.VOILUTFunction == "LINEAR_EXACT"
    assert (window.WindowCenter, window.WindowWidth) == (0.5, 0.5)


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
