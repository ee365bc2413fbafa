"""MGH files of FreeSurfer 8 and surfa tell their intent beside the version."""

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
from helpers.nifti_maker import edit_bytes, make_nifti, make_values

from medunsup.core.errors import InputError
from medunsup.io.load import load

AFFINE = np.array([[-1.0, 0, 0, 4], [0, 0, 1, -5], [0, -1, 0, 6], [0, 0, 0, 1]])


def make_mgh(path, intent, *, version=1):
    make_nifti(path, make_values(dtype=np.int32), AFFINE, kind=nib.MGHImage)
    if path.suffix == ".mgz":
        raw = gzip.decompress(path.read_bytes())
        path.write_bytes(gzip.compress(struct.pack(">i", (intent << 8) | version) + raw[4:]))
        return path
    return edit_bytes(path, lambda raw: struct.pack(">i", (intent << 8) | version) + raw[4:])


@pytest.mark.parametrize("name", ["scan.mgz", "scan.mgh"])
@pytest.mark.parametrize("intent", [0, 1])
def test_a_scan_or_label_map_is_read_the_same_whether_or_not_its_intent_is_told(tmp_path, name, intent):
    plain = load(
        make_nifti(tmp_path / f"plain_{name}", make_values(dtype=np.int32), AFFINE, kind=nib.MGHImage)
    )
    told = load(make_mgh(tmp_path / name, intent))
    assert np.array_equal(told.data, plain.data)
    assert np.array_equal(told.affine, plain.affine)
    assert told.source.notes.get("intent") == ("labels" if intent else None)


@pytest.mark.parametrize(("intent", "word"), [(2, "surface"), (3, "deformation"), (4, "inverse"), (77, "77")])
def test_what_is_meant_as_no_scan_is_refused_by_its_intent(tmp_path, intent, word):
    with pytest.raises(InputError, match=f"{word}.*mri_convert"):
        load(make_mgh(tmp_path / "scan.mgz", intent))


def test_a_name_that_nothing_reads_is_told_with_the_one_to_use(tmp_path):
    path = make_mgh(tmp_path / "scan.mgz", 0).rename(tmp_path / "scan.mgh.gz")
    with pytest.raises(InputError, match=r"Rename it to scan\.mgz"):
        load(path)


def test_another_version_is_no_mgh_file(tmp_path):
    with pytest.raises(InputError, match="not an image"):
        load(make_mgh(tmp_path / "scan.mgz", 1, version=2))


def test_a_file_without_orientation_is_a_guess_that_is_said(tmp_path):
    path = make_mgh(tmp_path / "scan.mgz", 0)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[28:30] = b"\0\0"  # goodRASFlag
    path.write_bytes(gzip.compress(bytes(raw)))
    assert "guess" in load(path).source.notes["warnings"][0]
