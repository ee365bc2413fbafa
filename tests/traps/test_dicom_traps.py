"""DICOM files and series made wrong on purpose: each must end in the message that names what and where."""

# ruff: noqa: E501  one line a trap reads as a table

import gzip
from copy import deepcopy

import numpy as np
import pytest
from helpers.dicom_maker import (
    PATIENT_NAME,
    make_enhanced,
    make_slices,
    make_voxels,
    write_dicom,
    write_slices,
)
from pydicom.encaps import encapsulate
from pydicom.uid import (
    BasicTextSRStorage,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    MediaStorageDirectoryStorage,
    generate_uid,
)

from medunsup.core.errors import DependencyError, GeometryError, InputError, UsageError
from medunsup.io.load import load

SAGITTAL = (0, 1, 0, 0, 0, -1)


def series(folder, change=lambda slices: slices, **tags):
    """Write a series of 8 slices after `change(slices)`, which may return others."""
    slices = make_slices(n=8, **tags)
    return write_slices(change(slices) or slices, folder / "series")


def without(*numbers):
    return lambda slices: [item for k, item in enumerate(slices) if k + 1 not in numbers]


def edited(number, **tags):
    def change(slices):
        for name, value in tags.items():
            setattr(slices[number - 1], name, value)

    return change


def lacking(name):
    def change(slices):
        for item in slices:
            delattr(item, name)

    return change


def shifted(step):
    """Move each slice by `step(k)`, (x, y, z) in mm."""

    def change(slices):
        for k, item in enumerate(slices):
            item.ImagePositionPatient = [float(x) for x in np.add(item.ImagePositionPatient, step(k))]

    return change


def copied(slices):
    return [*slices, deepcopy(slices[2])]


def doubled(slices):
    other = deepcopy(slices[2])
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return [*slices, other]


def beside(slices):
    """A second stack in the same planes, 300 mm to the side."""
    others = make_slices(n=8, uid=slices[0].SeriesInstanceUID, origin=(290.0, 20.0, 5.0))
    return [*slices, *others]


def three_planes(slices):
    return [*slices[:3], *make_slices(n=3, uid=slices[0].SeriesInstanceUID, orientation=SAGITTAL)]


def coloured(slices):
    for item in slices:
        item.SamplesPerPixel, item.PhotometricInterpretation, item.PlanarConfiguration = 3, "RGB", 0
        item.PixelData = item.PixelData * 3


def twice(slices, **tags):
    return [*slices, *make_slices(n=8, uid=slices[0].SeriesInstanceUID, **tags)]


def next_time_point(slices):
    return twice(slices, TemporalPositionIdentifier=2)


def two_series(folder):
    for number in (1, 2):
        write_slices(make_slices(SeriesNumber=number, SeriesDescription="t2_tse"), folder / f"{number}")
    return folder


def encoded(folder, content, syntax):
    item = make_slices(n=1)[0]
    item.PixelData = encapsulate([content])
    item["PixelData"].is_undefined_length = True
    return write_dicom(item, folder / "a.dcm", syntax=syntax)


def cut(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    return path


def garbled(path):
    """Overwrite the x of ImagePositionPatient by letters, as it is stored."""
    content = path.read_bytes()
    where = content.index(b"\x20\x00\x32\x00DS") + 8
    path.write_bytes(content[:where] + b"abc" + content[where + 3 :])
    return path


def one(folder, **tags):
    return write_dicom(make_slices(make_voxels((64, 64, 1)), **tags)[0], folder / "a.dcm")


def report(folder):
    item = make_slices(n=1, Modality="SR", SOPClassUID=BasicTextSRStorage)[0]
    for name in ("Rows", "Columns", "PixelData"):
        delattr(item, name)
    folder.joinpath("series").mkdir()
    return write_dicom(item, folder / "series" / "report.dcm").parent


def enhanced(folder, change):
    item = make_enhanced()
    change(item)
    return write_dicom(item, folder / "enhanced.dcm")


def lose_frame(item):
    del item.PerFrameFunctionalGroupsSequence[2]
    item.NumberOfFrames = 5
    size = item.Rows * item.Columns * 2
    item.PixelData = item.PixelData[: 2 * size] + item.PixelData[3 * size :]


def lose_position(item):
    del item.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence


def gzipped(folder):
    (folder / "a.dcm.gz").write_bytes(gzip.compress(one(folder).read_bytes()))
    return folder / "a.dcm.gz"


def dicomdir(folder):
    item = make_slices(n=1)[0]
    for name in ("Rows", "Columns", "PixelData", "SeriesInstanceUID", "Modality"):
        delattr(item, name)
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    return write_dicom(item, folder / "index.dcm")


def text(folder):
    (folder / "a.dcm").write_text("not DICOM at all " * 30)
    return folder / "a.dcm"


# name: (maker of the file or folder, further arguments of load, the error's class, words of its message)
TRAPS = {
    "missing slice": (lambda d: series(d, without(4)), {}, GeometryError, ["slice 4 of 8 is missing", "gap 4.0 mm, expected 2.0 mm", "IM0003.dcm", "Export"]),
    "two missing in a row": (lambda d: series(d, without(4, 5)), {}, GeometryError, ["slice 4, 5 of 8 are missing", "gap 6.0 mm"]),
    "two missing apart": (lambda d: series(d, without(3, 6)), {}, GeometryError, ["slice 3 of 8 is missing"]),
    "one file twice": (lambda d: series(d, copied), {}, InputError, ["duplicate slice", "IM0009.dcm", "IM0003.dcm", "Remove one copy"]),
    "one series twice": (lambda d: [write_slices(s, d / n) for s in [make_slices()] for n in "ab"] and d, {}, InputError, ["duplicate slice", "a/IM0001.dcm", "b/IM0001.dcm", "(and 5 more)", "give the folder of one"]),
    "two at one place": (lambda d: series(d, doubled), {}, GeometryError, ["duplicate slice", "same place", "IM0003.dcm"]),
    "gantry tilt": (lambda d: series(d, shifted(lambda k: (0, 0.5 * k, 0))), {}, GeometryError, ["gantry tilt", "3.5 mm", "14.0°", "dcm2niix"]),
    "slight gantry tilt": (lambda d: series(d, shifted(lambda k: (0.03 * k, 0, 0))), {}, GeometryError, ["gantry tilt", "0.9°"]),
    "uneven spacing": (lambda d: series(d, shifted(lambda k: (0, 0, 0.7 * (k > 4)))), {}, GeometryError, ["unevenly spaced", "2.70 mm", "IM0005.dcm"]),
    "mixed sizes": (lambda d: series(d, lambda s: [*s[:7], make_slices(make_voxels((6, 4, 8)), uid=s[0].SeriesInstanceUID)[7]]), {}, GeometryError, ["mixed series", "Rows and Columns", "IM0008.dcm"]),
    "mixed orientations": (lambda d: series(d, three_planes), {}, GeometryError, ["mixed series", "ImageOrientationPatient", "IM0004.dcm"]),
    "mixed pixel sizes": (lambda d: series(d, edited(5, PixelSpacing=[2, 2])), {}, GeometryError, ["mixed series", "PixelSpacing", "IM0005.dcm"]),
    "two stacks side by side": (lambda d: series(d, beside), {}, GeometryError, ["mixed series", "one plane", "different places"]),
    "two images alike": (lambda d: series(d, twice), {}, InputError, ["several images at 8 of its 8 places", "nothing in their headers", "series of its own"]),
    "one place for all": (lambda d: series(d, lambda s: [edited(n + 1, ImagePositionPatient=[1, 2, 3])(s) for n in range(8)] and s), {"volume": 0}, GeometryError, ["all 8 slices", "one place (ImagePositionPatient)", "Export"]),
    "4D": (lambda d: series(d, next_time_point), {}, InputError, ["4D, with 2 volumes", "volume=0 to 1"]),
    "volume past the last": (lambda d: series(d), {"volume": 1}, UsageError, ["no volume 1", "volume=0"]),
    "CT": (lambda d: series(d, Modality="CT"), {}, InputError, ["a CT scan, not MR", "Give an MR scan"]),
    "PET": (lambda d: series(d, Modality="PT"), {}, InputError, ["a PET scan, not MR"]),
    "secondary capture": (lambda d: series(d, Modality="OT"), {}, InputError, ["secondary capture", "not MR"]),
    "phase image": (lambda d: series(d, ImageType=["ORIGINAL", "PRIMARY", "P"]), {}, InputError, ["phase or complex", "magnitude"]),
    "complex component": (lambda d: series(d, ComplexImageComponent="REAL"), {}, InputError, ["phase or complex", "magnitude"]),
    "mosaic": (lambda d: series(d, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), {}, InputError, ["Siemens mosaic", "dcm2niix"]),
    "RGB": (lambda d: series(d, coloured), {}, InputError, ["RGB", "grey-value"]),
    "constant": (lambda d: write_slices(make_slices(np.full((5, 4, 6), 9)), d / "s"), {}, InputError, ["constant", "every voxel is 9"]),
    "no position": (lambda d: series(d, lacking("ImagePositionPatient")), {}, GeometryError, ["IM0001.dcm", "ImagePositionPatient", "Export"]),
    "no orientation": (lambda d: series(d, lacking("ImageOrientationPatient")), {}, GeometryError, ["ImageOrientationPatient"]),
    "no pixel size": (lambda d: series(d, lacking("PixelSpacing")), {}, GeometryError, ["PixelSpacing", "Export"]),
    "pixel size zero": (lambda d: series(d, spacing=(0, 0)), {}, GeometryError, ["PixelSpacing", "cannot be right"]),
    "position not a number": (lambda d: garbled(series(d) / "IM0003.dcm").parent, {}, GeometryError, ["IM0003.dcm", "ImagePositionPatient"]),
    "crooked axes": (lambda d: series(d, orientation=(1, 0, 0, 0.5, 0.8, 0)), {}, GeometryError, ["ImageOrientationPatient", "not a pair of axes"]),
    "no such series": (two_series, {"series": 7}, UsageError, ["no series 7", "1: t2_tse", "2: t2_tse"]),
    "several, none T1w": (two_series, {}, InputError, ["holds 2 series", "no 3D T1w", 'series="NUMBER"', "6 slices"]),
    "no image": (report, {}, InputError, ["no images", "image series"]),
    "no pixels": (lambda d: series(d, lacking("PixelData")), {}, InputError, ["pixels cannot be decoded", "IM0001.dcm"]),
    "truncated in its pixels": (lambda d: cut(one(d), 3_000), {}, InputError, ["a.dcm", "again"]),
    "truncated in its header": (lambda d: cut(one(d), 600), {}, InputError, ["a.dcm", "cut off", "again"]),
    "one of many truncated": (lambda d: cut(series(d) / "IM0001.dcm", 600).parent, {}, InputError, ["IM0001.dcm", "cut off", "again"]),
    "damaged JPEG 2000": (lambda d: encoded(d, b"\xff\x4f\xff\x51" + bytes(60), JPEG2000Lossless), {}, InputError, ["cannot be decoded", "a.dcm"]),
    "text named DICOM": (text, {}, InputError, ["a.dcm", "is named as DICOM but is not"]),
    "gzipped DICOM": (gzipped, {}, InputError, ["compressed DICOM", "gunzip"]),
    "DICOMDIR": (lambda d: dicomdir(d), {}, InputError, ["a DICOMDIR", "Give the folder"]),
    "enhanced with a lost frame": (lambda d: enhanced(d, lose_frame), {}, GeometryError, ["slice 4 of 6 is missing", "frame 2"]),
    "enhanced without a position": (lambda d: enhanced(d, lose_position), {}, GeometryError, ["frame 2", "ImagePositionPatient"]),
    "enhanced 4D": (lambda d: write_dicom(make_enhanced(repeats=3, n=4), d / "a.dcm"), {}, InputError, ["4D, with 3 volumes", "volume=0 to 2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_wrong_series_ends_in_a_message_that_says_what_where_and_what_to_do(name, tmp_path):
    make, arguments, error, words = TRAPS[name]
    path = make(tmp_path)
    with pytest.raises(error) as caught:
        load(path, **arguments)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert message.startswith(str(path))
    assert all(line.startswith("  ") for line in message.splitlines()[1:]), "one line, and a list of series"
    assert message.count(". ") >= 1, "what is wrong, then what to do"
    assert not any(secret in message for secret in (*PATIENT_NAME.split("^"), "4711", "1949"))


def test_a_codec_that_is_not_installed_is_named_with_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", property(lambda _: False))
    with pytest.raises(DependencyError, match=r"JPEG Lossless.*pip install -c constraints\.txt '\.\[jpeg\]'"):
        load(encoded(tmp_path, b"\xff\xd8", JPEGLosslessSV1))
