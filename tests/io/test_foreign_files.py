"""Files that other libraries test themselves with: each is read, or refused in one line; none crashes."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from helpers.dicom_maker import make_enhanced, make_slices, write_dicom
from helpers.nifti_maker import make_nifti
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from medunsup.core.errors import MedunsupError
from medunsup.core.volume import Volume
from medunsup.io.load import load

PYDICOM = Path(pydicom.__file__).parent / "data"
NIBABEL = Path(nibabel.__file__).parent
FOLDERS = [PYDICOM, NIBABEL / "tests" / "data", NIBABEL / "nicom" / "tests" / "data"]
PHILIPS = NIBABEL / "nicom" / "tests" / "data" / "philips_mprage.dcm.gz"


def load_or_refuse(path):
    """Return the volume, or the message; anything else is a crash."""
    try:
        volume = load(path)
    except MedunsupError as error:
        message = str(error)
        assert "\n" not in message
        return message
    assert np.isfinite(volume.data).all()
    assert volume.data.min() < volume.data.max()
    return volume


@pytest.mark.parametrize("folder", FOLDERS, ids=["pydicom", "nibabel", "nibabel-dicom"])
@pytest.mark.filterwarnings("ignore")
def test_no_file_of_other_test_suites_ends_in_a_traceback(folder):
    files = [file for file in folder.rglob("*") if file.is_file()]
    if not files:
        pytest.skip(f"this installation lacks {folder}")
    results = [load_or_refuse(file) for file in files]
    assert any(isinstance(result, Volume) for result in results)


@pytest.mark.parametrize(
    "name",
    ["", "_RLE", "_bigendian", "_expb", "_implicit", "_jp2klossless", "_jpeg_ls_lossless", "_padded"],
)
def test_one_mr_slice_in_eight_encodings_is_one_image(name):
    path = PYDICOM / "test_files" / f"MR_small{name}.dcm"
    if not path.exists():
        pytest.skip("this installation of pydicom lacks its test files")
    assert np.array_equal(load(path).data, load(path.with_name("MR_small.dcm")).data)


@pytest.mark.filterwarnings("ignore:The DICOM readers are highly experimental", "ignore:.*")
def test_an_enhanced_philips_mprage_lies_where_nibabel_puts_it(tmp_path):
    if not PHILIPS.exists():
        pytest.skip("this installation of nibabel lacks its test files")
    from nibabel.nicom.dicomwrappers import wrapper_from_file

    path = tmp_path / "mprage.dcm"
    path.write_bytes(gzip.decompress(PHILIPS.read_bytes()))
    item = pydicom.dcmread(path)
    shape = (item.NumberOfFrames, item.Rows, item.Columns)
    pixels = np.random.default_rng(0).integers(0, 900, shape).astype("<u2")  # the file's own are blanked
    item.PixelData = pixels.tobytes()
    item.save_as(path)
    volume = load(path)
    other = wrapper_from_file(path)
    array, affine = volume.in_source_space()
    frame = item.PerFrameFunctionalGroupsSequence[0].PixelValueTransformationSequence[0]
    slope, intercept = float(frame.RescaleSlope), float(frame.RescaleIntercept)
    values, theirs = other.get_data(), np.diag([-1.0, -1, 1, 1]) @ other.affine
    for index in ((0, 0, 0), (3, 5, 1), (-1, -2, -1)):
        index = np.mod(index, array.shape)
        place = affine @ [*index, 1]
        their_index = np.rint(np.linalg.solve(theirs, place)[:3]).astype(int)
        assert np.abs(theirs @ [*their_index, 1] - place).max() < 0.01
        assert values[tuple(their_index)] * slope + intercept == pytest.approx(array[tuple(index)])
    assert volume.source.notes["contrast"] == "T1w"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["nifti", "mgh", "dicom", "enhanced"]),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    keep=st.floats(0.2, 1),
)
@example(kind="nifti", damage=[(0.1, 0)], keep=1.0)
@example(kind="mgh", damage=[(0.03515625, 0)], keep=1.0)  # a side of no voxels
@example(kind="dicom", damage=[(0.25, 10), (0.171875, 75)], keep=1.0)  # a kind of object with a line break
@pytest.mark.filterwarnings("ignore")
def test_bytes_changed_at_random_never_end_in_a_traceback(kind, damage, keep, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    path = {
        "nifti": lambda: make_nifti(folder / "a.nii"),
        "mgh": lambda: make_nifti(
            folder / "a.mgh", np.arange(60.0).reshape(3, 4, 5).astype("f4"), kind=nibabel.MGHImage
        ),
        "dicom": lambda: write_dicom(make_slices(n=1)[0], folder / "a.dcm"),
        "enhanced": lambda: write_dicom(make_enhanced(), folder / "a.dcm"),
    }[kind]()
    content = bytearray(path.read_bytes())
    header = min(len(content), 5000 if kind == "enhanced" else 1500)
    for where, value in damage:
        content[int(where * (header - 1))] = value
    path.write_bytes(content[: int(keep * len(content)) + 1])
    load_or_refuse(path)
