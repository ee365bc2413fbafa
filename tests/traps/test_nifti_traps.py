"""NIfTI, MGZ and other files made wrong on purpose: each must end in the message that names what and where."""

# ruff: noqa: E501  one line a trap reads as a table

import gzip
import shutil
import tarfile

import nibabel as nib
import numpy as np
import pytest
from helpers.nifti_maker import edit_bytes, make_nifti, make_values, set_fields

from medunsup.core.errors import GeometryError, InputError, UsageError
from medunsup.io.load import load

RGB = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
ONES = np.ones((4, 4, 4), dtype=np.float32)


def scan(folder, *args, name="scan.nii.gz", **kwargs):
    return make_nifti(folder / name, *args, **kwargs)


def holed(value):
    data = make_values(dtype=np.float32)
    data[1, 2, 3] = value
    return data


def raw(folder, content, name="scan.nii"):
    path = folder / name
    path.write_bytes(content)
    return path


def cut(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    return path


def flipped_byte(path):
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF  # within the checksum that gzip ends with
    path.write_bytes(content)
    return path


def noise_scan(folder, name="scan.nii.gz"):
    kind = nib.MGHImage if name.endswith(".mgz") else nib.Nifti1Image
    noise = np.random.default_rng(0).normal(size=(40, 40, 40)).astype(np.float32)
    return scan(folder, noise, name=name, kind=kind)


def renamed(path, name):
    return path.rename(path.with_name(name))


def folder_with(folder, name, content=b"text"):
    (folder / "series").mkdir()
    raw(folder / "series", content, name)
    return folder / "series"


def without_image(folder):
    path = scan(folder, name="scan.hdr", kind=nib.Nifti1Pair)
    path.with_suffix(".img").unlink()
    return path


def tarball(folder):
    with tarfile.open(folder / "scans.tar.gz", "w:gz") as archive:
        archive.add(scan(folder), "scan.nii.gz")
    return folder / "scans.tar.gz"


def surface(folder):
    axis = nib.cifti2.ScalarAxis(["curvature"])
    vertices = nib.cifti2.BrainModelAxis.from_surface(np.arange(4), 4, "CortexLeft")
    picture = nib.Cifti2Image(np.arange(4.0)[None], nib.Cifti2Header.from_axes((axis, vertices)))
    nib.save(picture, folder / "a.dscalar.nii")
    return folder / "a.dscalar.nii"


def dangling(folder):
    (folder / "scan.nii").symlink_to(folder / "gone.nii")
    return folder / "scan.nii"


# name: (maker of the file, further arguments of load, the error's class, words its message must have)
TRAPS = {
    "no such file": (lambda d: d / "gone.nii.gz", {}, InputError, ["no such file", "Check the path"]),
    "dangling link": (dangling, {}, InputError, ["no such file"]),
    "zero bytes": (lambda d: raw(d, b""), {}, InputError, ["empty (0 bytes)", "again"]),
    "zero bytes, packed": (lambda d: raw(d, gzip.compress(b""), "scan.nii.gz"), {}, InputError, ["not an image"]),
    "truncated gzip": (lambda d: cut(noise_scan(d), 90_000), {}, InputError, ["truncated or damaged", "again"]),
    "truncated in its header": (lambda d: cut(noise_scan(d), 60), {}, InputError, ["damaged", "again"]),
    "wrong checksum": (lambda d: flipped_byte(noise_scan(d)), {}, InputError, ["damaged", "CRC", "again"]),
    "truncated plain": (lambda d: cut(noise_scan(d, "scan.nii"), 9_000), {}, InputError, ["truncated", "0.3 MB of voxels", "0.0 MB"]),
    "truncated MGZ": (lambda d: cut(noise_scan(d, "scan.mgz"), 9_000), {}, InputError, ["damaged"]),
    "truncated MGH": (lambda d: cut(scan(d, ONES, name="scan.mgh", kind=nib.MGHImage), 300), {}, InputError, ["truncated"]),
    "packed but not named so": (lambda d: renamed(scan(d), "scan.nii"), {}, InputError, ["gzip", "Rename it to scan.nii.gz"]),
    "named packed but not": (lambda d: renamed(scan(d, name="a.nii"), "a.nii.gz"), {}, InputError, ["Rename it to a.nii"]),
    "text": (lambda d: raw(d, b"subject\tage\n" * 40), {}, InputError, ["looks like text", "Give a NIfTI"]),
    "text named packed": (lambda d: raw(d, b"subject\tage\n" * 40, "text.nii.gz"), {}, InputError, ["text.nii.gz: is not an image", "looks like text"]),
    "PNG": (lambda d: raw(d, b"\x89PNG\r\n\x1a\n" + bytes(400)), {}, InputError, ["a PNG picture", "Give a NIfTI"]),
    "web page": (lambda d: raw(d, b"<!DOCTYPE html>" + b" " * 400), {}, InputError, ["failed download"]),
    "NRRD": (lambda d: raw(d, b"NRRD0004\n" + bytes(400), "a.nrrd"), {}, InputError, ["NRRD", "convert it to NIfTI"]),
    "Philips PAR": (lambda d: raw(d, b"# === DATA DESCRIPTION FILE ===\n" * 20, "a.PAR"), {}, InputError, ["PAR header", "dcm2niix"]),
    "surface data": (surface, {}, InputError, ["CIFTI", "Give the volume"]),
    "tar archive": (tarball, {}, InputError, ["tar archive", "unpack it"]),
    "ZIP": (lambda d: raw(d, b"PK\x03\x04" + bytes(400), "a.zip"), {}, InputError, ["ZIP", "unpack it"]),
    "garbage header": (lambda d: edit_bytes(scan(d, name="a.nii"), lambda c: c[:344] + b"n+1\0" + b"\xff" * 200), {}, InputError, ["truncated"]),
    "impossible dimensions": (lambda d: set_fields(scan(d), dim=[3, -4, 5, 6, 1, 1, 1, 1]), {}, InputError, ["shape"]),
    "impossible size": (lambda d: set_fields(scan(d), dim=[3, 32000, 32000, 32000, 1, 1, 1, 1]), {}, InputError, ["damaged", "MB of voxels"]),
    "no voxels": (lambda d: set_fields(scan(d), dim=[3, 0, 5, 6, 1, 1, 1, 1]), {}, InputError, ["no image in it"]),
    "unknown type": (lambda d: set_fields(scan(d), datatype=9999), {}, InputError, ["header", "9999"]),
    "float128": (lambda d: set_fields(scan(d), datatype=1536, bitpix=128), {}, InputError, ["header", "1536"]),
    "half a pair": (without_image, {}, InputError, ["other half is missing", ".img"]),
    "empty folder": (lambda d: d, {}, InputError, ["it is empty", "folders below", "DICOM", ".nii.gz", ".mgz", "Give the folder"]),
    "folder of text": (lambda d: folder_with(d, "a.txt"), {}, InputError, ["none of its 1 files is one", "NIfTI", ".mgz"]),
    "folder of NIfTI": (lambda d: scan(d).parent, {}, InputError, ["NIfTI", "scan.nii.gz"]),
    "4D": (lambda d: scan(d, make_values((3, 4, 5, 6))), {}, InputError, ["4D, with 6 volumes", "volume=0 to 5"]),
    "volume past the last": (lambda d: scan(d, make_values((3, 4, 5, 6))), {"volume": 6}, UsageError, ["no volume 6", "volume=0 to 5"]),
    "volume of a 3D file": (lambda d: scan(d), {"volume": 1}, UsageError, ["no volume 1", "0, the only one"]),
    "5D": (lambda d: scan(d, make_values((3, 4, 5, 1, 2))), {}, InputError, ["5 dimensions", "Extract one"]),
    "series of a NIfTI": (lambda d: scan(d), {"series": 3}, UsageError, ["`series`", "NIfTI"]),
    "NaN": (lambda d: scan(d, holed(np.nan)), {}, InputError, ["NaN or infinite", "(1, 2, 3)", "slice 4", "Replace"]),
    "Inf": (lambda d: scan(d, holed(-np.inf)), {}, InputError, ["NaN or infinite", "slice 4"]),
    "beyond float32": (lambda d: scan(d, holed(1).astype(np.float64) * 1e39), {}, InputError, ["infinite"]),
    "constant": (lambda d: scan(d, ONES * 7), {}, InputError, ["constant", "every voxel is 7"]),
    "empty image": (lambda d: scan(d, ONES * 0), {}, InputError, ["empty", "every voxel is 0"]),
    "complex": (lambda d: scan(d, ONES.astype(np.complex64)), {}, InputError, ["complex", "magnitude"]),
    "RGB": (lambda d: scan(d, RGB), {}, InputError, ["RGB", "grey-value"]),
    "singular sform": (lambda d: set_fields(scan(d), srow_y=[0, 0, 0, 0]), {}, GeometryError, ["sform is singular"]),
    "NaN in sform": (lambda d: set_fields(scan(d), srow_y=[np.nan] * 4), {}, GeometryError, ["sform is singular"]),
    "two axes coincide": (lambda d: set_fields(scan(d), srow_x=[1, 1, 0, 0], srow_y=[0, 1e-5, 0, 0]), {}, GeometryError, ["two axes coincide"]),
    "no voxel size": (lambda d: set_fields(scan(d), sform_code=0, pixdim=[1, 0, 1, 1, 0, 0, 0, 0]), {}, GeometryError, ["pixdim", "voxel"]),
    "metres": (lambda d: scan(d, affine=np.diag([1e-3, 1e-3, 1e-3, 1])), {}, GeometryError, ["0.001", "pixdim", "xyzt_units"]),
    "singular MGH": (lambda d: scan(d, ONES, np.diag([1.0, 0, 1, 1]), name="a.mgh", kind=nib.MGHImage), {}, GeometryError, ["singular"]),
    "slope without intercept": (lambda d: set_fields(scan(d), scl_slope=2, scl_inter=np.nan), {}, InputError, ["header", "intercept"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_wrong_file_ends_in_a_message_that_says_what_where_and_what_to_do(name, tmp_path):
    make, arguments, error, words = TRAPS[name]
    path = make(tmp_path)
    with pytest.raises(error) as caught:
        load(path, **arguments)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert message.count(". ") >= 1, "what is wrong, then what to do"


def test_a_file_the_user_may_not_read_is_named(tmp_path, monkeypatch):
    path = scan(tmp_path)
    monkeypatch.setattr(
        "pathlib.Path.open", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
    )
    with pytest.raises(
        InputError, match=r"scan\.nii\.gz: cannot be read \(Permission denied\)\. Check its permissions"
    ):
        load(path)


def test_an_image_that_shrinks_while_it_is_read_is_no_crash(tmp_path, monkeypatch):
    path = noise_scan(tmp_path, "scan.nii")
    opened = nib.load
    monkeypatch.setattr(nib, "load", lambda name: (opened(name), cut(path, 5_000))[0])
    with pytest.raises(InputError, match="truncated"):
        load(path)
    shutil.rmtree(tmp_path)
