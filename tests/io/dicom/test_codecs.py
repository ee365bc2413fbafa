"""However DICOM pixels are encoded, the same values come out, or the codec's package is named."""

import io
import tomllib
from base64 import b85decode
from pathlib import Path

import numpy as np
import pytest
from helpers.dicom_maker import make_slices, make_voxels, write_dicom
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from medunsup.core.errors import DependencyError, InputError
from medunsup.io.load import load

VOXELS = make_voxels((64, 48, 1))
# A ramp of 16 rows and 20 columns in steps of 12, encoded with OpenJPH 0.26.
HIGH_THROUGHPUT = (
    b"|4;u>04YEK0000K0000G00000000000000K0000G0000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0smY86Cj9?kdTm&"
    b"kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00000j{pJxlfVEbtM&y4bO68r5`c;UhjakI01?0d6#yr503uN&"
    b"{s7`M0KfneKmZkB^&)csjK~N^`~V>UcUAzv02L4b1$Z>2^w;1EbpSTB!3G;__}~;qQi1Ha0Kfn%AOIGyW@ct)@8GAWr^0vu-o3rO"
    b"y}iA?y}ka1J&a&`_A!C%ya4~%"
)


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


def jpeg_ls(pixels):
    rows, columns = pixels.shape
    shape = {"rows": rows, "columns": columns, "samples_per_pixel": 1, "planar_configuration": 0}
    return bytes(pytest.importorskip("jpeg_ls").encode_pixel_data(pixels.tobytes(), bits_stored=16, **shape))


@pytest.mark.parametrize("unused_bits", [0, 0xF000], ids=["unused bits 0", "unused bits 1"])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("syntax", [None, JPEGLSLossless, JPEG2000Lossless])
def test_the_sign_is_the_highest_stored_bit_whatever_the_encoding(syntax, signed, unused_bits, tmp_path):
    values = VOXELS.astype(int) - (2048 if signed else 0)
    item = make_slices(((values & 0xFFF) | unused_bits).astype("<u2"), PixelRepresentation=int(signed))[0]
    if syntax is not None:
        encode = jpeg_ls if syntax == JPEGLSLossless else jpeg_2000
        pixels = np.frombuffer(item.PixelData, "<u2").reshape(item.Rows, item.Columns)
        item.PixelData = encapsulate([encode(pixels)])
        item["PixelData"].is_undefined_length = True
    path = write_dicom(item, tmp_path / "scan.dcm", syntax=syntax or ExplicitVRLittleEndian)
    assert np.array_equal(load(path).in_source_space()[0], values)


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda syntax: syntax.name,
)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("below", [1, 4])
def test_values_in_the_upper_bits_are_read_whatever_the_bits_around_hold(below, signed, syntax, tmp_path):
    values = VOXELS.astype(int) - (2048 if signed else 0)
    bits = ((values & 0xFFF) << below) | ((1 << below) - 1) | (0xF000 << below & 0xFFFF)
    asked = {"HighBit": 11 + below, "BitsStored": 12, "PixelRepresentation": int(signed)}
    item = make_slices(bits.astype("<u2"), **asked)[0]
    path = write_dicom(item, tmp_path / "scan.dcm", syntax=syntax)
    assert np.array_equal(load(path).in_source_space()[0], values)


def test_compressed_values_in_the_upper_bits_are_refused_and_not_cut(tmp_path):
    item = make_slices((VOXELS.astype(int) << 4).astype("<u2"), HighBit=15, BitsStored=12)[0]
    item.compress(RLELossless)
    with pytest.raises(InputError, match=r"HighBit 15, BitsStored 12.*uncompressed"):
        load(write_dicom(item, tmp_path / "scan.dcm", syntax=RLELossless))


def test_a_highest_bit_beyond_the_sample_is_refused(tmp_path):
    item = make_slices((VOXELS.astype(int) << 4).astype("<u2"), HighBit=16, BitsStored=12)[0]
    with pytest.raises(InputError, match="cannot be decoded"):
        load(write_dicom(item, tmp_path / "scan.dcm"))


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K], ids=lambda syntax: syntax.name)
def test_high_throughput_jpeg_2000_is_decoded_with_the_extra(syntax, tmp_path):
    pytest.importorskip("openjpeg")
    ramp = 12 * np.arange(16 * 20).reshape(16, 20)
    item = make_slices(ramp.T[:, :, None].astype(np.uint16))[0]
    item.PixelData = encapsulate([b85decode(HIGH_THROUGHPUT)])
    item["PixelData"].is_undefined_length = True
    path = write_dicom(item, tmp_path / "scan.dcm", syntax=syntax)
    assert np.array_equal(load(path).in_source_space()[0][:, :, 0], ramp.T)


@pytest.mark.parametrize(
    ("syntax", "package"),
    [
        (HTJ2KLossless, "pylibjpeg-openjpeg"),
        (JPEGLosslessSV1, "pylibjpeg-libjpeg"),
        (JPEGLSLossless, "pyjpegls"),
    ],
    ids=["HTJ2K", "JPEG lossless", "JPEG-LS"],
)
def test_what_decodes_an_encoding_is_named_and_is_in_the_extra(syntax, package, tmp_path, monkeypatch):
    item = make_slices(VOXELS)[0]
    item.PixelData = encapsulate([b"\xff\x4f not decodable here"])
    item["PixelData"].is_undefined_length = True
    path = write_dicom(item, tmp_path / "scan.dcm", syntax=syntax)
    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", property(lambda self: False))
    with pytest.raises(DependencyError, match=rf"which {package} decodes; .*'\.\[jpeg\]'"):
        load(path)
    root = Path(__file__).parents[3]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert any(line.startswith(f"{package}>=") for line in extras["jpeg"])
    assert f"\n{package}==" in (root / "constraints.txt").read_text()


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
