"""An input is known by all that it is read from: what changes that changes the hash, and nothing else."""

import gzip
import io
from hashlib import sha256
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from helpers.nifti_maker import make_nifti, make_values
from scipy.io import savemat

from medunsup.cohort.request import ScanRequest
from medunsup.io.files.hashes import hash_input
from medunsup.io.load import load

ENDINGS = [(".hdr", ".img"), (".HDR", ".IMG"), (".hdr.gz", ".img.gz")]


def moved(x_mm):
    affine = np.diag([1.0, 1, 2, 1])
    affine[0, 3] = x_mm
    return affine


def make_pair(folder: Path, stem: str, endings=ENDINGS[0], *, seed=0, spacing=1.0, kind=nib.Nifti1Pair):
    image = kind(make_values(seed=seed), np.diag([spacing, 1.0, 2.0, 1.0]))
    halves = {"header": io.BytesIO(), "image": io.BytesIO()}
    for role, raw in halves.items():
        image.file_map[role].fileobj = raw
    image.file_map.pop("mat", None)
    image.to_file_map()
    paths = [folder / f"{stem}{ending}" for ending in endings]
    for path, raw in zip(paths, halves.values(), strict=True):
        content = raw.getvalue()
        path.write_bytes(gzip.compress(content, mtime=0) if path.name.endswith(".gz") else content)
    return paths


@pytest.mark.parametrize("endings", ENDINGS, ids=lambda each: each[0])
def test_a_pair_is_known_by_both_halves_whichever_was_named(tmp_path, endings):
    header, image = make_pair(tmp_path, "a", endings)
    first = hash_input(header)
    assert hash_input(image) == first
    make_pair(tmp_path, "a", endings, seed=1)
    other_voxels = hash_input(header)
    make_pair(tmp_path, "a", endings, spacing=1.5)
    other_header = hash_input(image)
    assert len({first, other_voxels, other_header}) == 3
    make_pair(tmp_path, "a", endings)
    assert hash_input(header) == first


def test_persons_whose_headers_are_alike_are_not_one_scan_and_a_copy_is(tmp_path):
    make_pair(tmp_path, "a", seed=1)
    make_pair(tmp_path, "b", seed=2)
    make_pair(tmp_path, "copy", seed=1)
    assert (tmp_path / "a.hdr").read_bytes() == (tmp_path / "b.hdr").read_bytes()
    assert hash_input(tmp_path / "a.hdr") != hash_input(tmp_path / "b.hdr")
    assert hash_input(tmp_path / "a.hdr") == hash_input(tmp_path / "copy.img")


def test_the_mat_that_places_a_pair_belongs_to_it_and_one_beside_another_file_does_not(tmp_path):
    header, _ = make_pair(tmp_path, "a", kind=nib.AnalyzeImage)
    single = make_nifti(tmp_path / "b.nii")
    before = hash_input(header), hash_input(single)
    for x_mm in (1.0, 2.0):
        for stem in "ab":
            savemat(tmp_path / f"{stem}.mat", {"mat": moved(x_mm)})
        assert hash_input(header) != before[0]
        assert hash_input(single) == before[1]
        before = hash_input(header), before[1]


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.mgz"])
def test_a_single_file_is_known_by_the_plain_hash_of_its_bytes(tmp_path, name):
    kind = nib.MGHImage if name.endswith("mgz") else nib.Nifti1Image
    path = make_nifti(tmp_path / name, kind=kind)
    assert hash_input(path) == sha256(path.read_bytes()).hexdigest()


def test_record_and_request_know_a_scan_by_the_same_hash(tmp_path):
    header, image = make_pair(tmp_path, "a")
    single = make_nifti(tmp_path / "b.nii.gz")
    for path in (header, image, single):
        assert load(path).source.sha256 == hash_input(path)
        assert ScanRequest(path).inputs()[0].sha256 == hash_input(path)
    assert load(header).source.notes["files"] == ["a.hdr", "a.img"]
