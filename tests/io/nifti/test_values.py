"""Whatever type the voxels are stored as, the same values come out."""

import gzip
from hashlib import sha256

import nibabel as nib
import numpy as np
import pytest
from helpers.nifti_maker import make_nifti, make_values, set_fields

from medunsup.io.load import load

VALUES = make_values(dtype=np.uint8)
STORED = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]


@pytest.mark.parametrize("dtype", STORED)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_stored_type_and_byte_order_gives_the_same_values(dtype, order, tmp_path):
    values = VALUES.clip(0, 100)
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
    image = nib.Nifti1Image(values.astype(dtype), np.eye(4), header)
    nib.save(image, tmp_path / "scan.nii.gz")
    volume = load(tmp_path / "scan.nii.gz")
    assert volume.data.dtype == np.float32
    assert np.array_equal(volume.data, values)


@pytest.mark.parametrize(
    "name", ["scan.nii", "scan.nii.gz", "scan.mgz", "scan.mgh", "scan.img", "scan.hdr", "sçàn ß 头.nii.gz"]
)
def test_every_kind_of_file_gives_the_same_values(name, tmp_path):
    kind = nib.MGHImage if "mg" in name[-3:] and "img" not in name else nib.Nifti1Image
    if name.endswith((".img", ".hdr")):
        kind = nib.Nifti1Pair
    path = make_nifti(tmp_path / name, VALUES.astype(np.float32), kind=kind)
    volume = load(path)
    assert np.array_equal(volume.in_source_space()[0], VALUES)
    assert np.allclose(volume.source.grid.affine, nib.load(path).affine, atol=1e-6)


def test_nifti_2_is_read_and_written_back_as_nifti_2(tmp_path):
    from medunsup.io.nifti.write import write_volume

    affine = np.diag([1 / 3, 1 / 7, 1.1, 1])
    volume = load(make_nifti(tmp_path / "scan.nii", VALUES, affine, kind=nib.Nifti2Image))
    result = nib.load(write_volume(volume, tmp_path / "map.nii"))
    assert isinstance(result, nib.Nifti2Image)
    assert np.array_equal(result.affine, affine)


def test_slope_and_intercept_are_applied(tmp_path):
    path = make_nifti(tmp_path / "scan.nii", VALUES)
    set_fields(path, scl_slope=0.5, scl_inter=-3)
    assert np.array_equal(load(path).data, VALUES * np.float32(0.5) - 3)


@pytest.mark.parametrize("slope", [0, np.nan])
def test_an_unset_slope_means_no_scaling(slope, tmp_path):
    path = make_nifti(tmp_path / "scan.nii", VALUES)
    set_fields(path, scl_slope=slope, scl_inter=0)
    assert np.array_equal(load(path).data, VALUES)


def test_one_volume_of_a_4d_file_is_picked(tmp_path):
    values = np.stack([VALUES, VALUES[::-1], VALUES + 1.0], axis=3).astype(np.float32)
    path = make_nifti(tmp_path / "bold.nii.gz", values)
    volume = load(path, volume=1)
    assert np.array_equal(volume.data, VALUES[::-1])
    assert volume.source.notes["volume"] == 1


def test_a_fourth_axis_of_one_is_no_axis(tmp_path):
    assert np.array_equal(load(make_nifti(tmp_path / "scan.nii", VALUES[..., None])).data, VALUES)


@pytest.mark.parametrize("n", [1, 2])
def test_a_scan_of_one_or_two_slices_is_read(n, tmp_path):
    assert load(make_nifti(tmp_path / "scan.nii", VALUES[..., :n])).shape == (5, 6, n)


def test_a_2d_file_is_one_slice(tmp_path):
    assert load(make_nifti(tmp_path / "picture.nii", VALUES[..., 0])).shape == (5, 6, 1)


def test_the_hash_is_that_of_the_files_bytes(tmp_path):
    path = make_nifti(tmp_path / "scan.nii.gz", VALUES)
    assert load(path).source.sha256 == sha256(path.read_bytes()).hexdigest()


def test_free_text_and_extensions_never_reach_the_source_or_a_result(tmp_path):
    from medunsup.io.nifti.write import write_volume

    def name_the_patient(image):
        image.header["descrip"] = image.header["db_name"] = b"Secret Person"[:17]
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Secret Person"))

    path = make_nifti(tmp_path / "scan.nii", VALUES, edit=name_the_patient)
    assert b"Secret" in path.read_bytes()
    volume = load(path)
    assert "Secret" not in repr(volume.source) + repr(volume.source.header.fields)
    assert b"Secret" not in write_volume(volume, tmp_path / "map.nii").read_bytes()


def test_loading_needs_little_more_memory_than_the_result(tmp_path):
    import tracemalloc

    path = make_nifti(tmp_path / "scan.nii.gz", np.random.default_rng(0).normal(size=(160, 160, 160)))
    tracemalloc.start()
    volume = load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * volume.data.nbytes  # slabs are of fixed size, so larger scans come nearer to 1


def test_many_gzip_members_are_one_file(tmp_path):
    path = make_nifti(tmp_path / "scan.nii", VALUES)
    content = path.read_bytes()
    packed = tmp_path / "scan.nii.gz"
    packed.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    assert np.array_equal(load(packed).data, VALUES)
