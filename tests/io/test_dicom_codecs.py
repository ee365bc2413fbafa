"""However DICOM pixels are encoded, the same values come out, or the codec's package is named."""

import io

import numpy as np
import pytest
from dicom_maker import make_slices, make_voxels, write_dicom
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from medunsup.core.errors import DependencyError, InputError
from medunsup.io.load import load

VOXELS = make_voxels((64, 48, 1))


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda syntax: syntax.name,
)
def test_every_lossless_encoding_gives_the_same_pixels(syntax, tmp_path):
    item = make_slices(VOXELS)[0]
    if syntax == JPEG2000Lossless:
        item.PixelData = encapsulate([jpeg_2000(item.pixel_array)])
        item["PixelData"].is_undefined_length = True
    elif syntax.is_compressed and syntax.is_encapsulated:
        item.compress(syntax, generate_instance_uid=False)
    path = write_dicom(item, tmp_path / "scan.dcm", syntax=syntax)
    assert np.array_equal(load(path).in_source_space()[0], VOXELS)


def test_a_file_without_preamble_is_still_dicom(tmp_path):
    path = write_dicom(make_slices(VOXELS)[0], tmp_path / "with.dcm", syntax=ImplicitVRLittleEndian)
    import pydicom

    item = pydicom.dcmread(path)
    item.preamble = None
    del item.file_meta
    bare = tmp_path / "bare"
    item.save_as(bare, implicit_vr=True, little_endian=True)
    assert bare.read_bytes()[128:132] != b"DICM"
    assert np.array_equal(load(bare).in_source_space()[0], VOXELS)


def test_a_missing_codec_is_named_with_the_extra_that_brings_it(tmp_path, monkeypatch):
    item = make_slices(VOXELS)[0]
    item.PixelData = encapsulate([b"\xff\xd8 not decodable here"])
    item["PixelData"].is_undefined_length = True
    path = write_dicom(item, tmp_path / "scan.dcm", syntax=JPEGLosslessSV1)
    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", property(lambda self: False))
    with pytest.raises(DependencyError, match=r"JPEG Lossless.*pip install -c constraints\.txt '\.\[jpeg\]'"):
        load(path)


def test_damaged_pixels_are_an_error_that_names_the_file(tmp_path):
    item = make_slices(VOXELS)[0]
    item.PixelData = encapsulate([jpeg_2000(item.pixel_array)[:200]])
    item["PixelData"].is_undefined_length = True
    path = write_dicom(item, tmp_path / "scan.dcm", syntax=JPEG2000Lossless)
    with pytest.raises(InputError, match=r"scan\.dcm: the pixels cannot be decoded"):
        load(path)


def jpeg_2000(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
    return stream.getvalue()
