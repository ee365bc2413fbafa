"""SPM's .mat beside a .hdr/.img pair places an Analyze scan; what it is not, or must not do, is said."""

import nibabel as nib
import numpy as np
import pytest
from helpers.nifti_maker import make_values
from scipy.io import savemat

from medunsup.core.errors import GeometryError, InputError
from medunsup.io.load import load

SIZES = np.diag([1.5, 1.0, 2.0, 1.0])
MOVED = SIZES.copy()
MOVED[:3, 3] = -10.0, 20.0, 5.0


def analyze(folder, kind=nib.AnalyzeImage):
    nib.save(kind(make_values(), SIZES), folder / "a.img")
    return folder / "a.img"


def test_a_mat_of_spm_places_the_scan_by_indices_that_count_from_one(tmp_path):
    path = analyze(tmp_path)
    savemat(tmp_path / "a.mat", {"mat": MOVED})
    scan = load(path)
    assert np.allclose(scan.affine @ [0, 0, 0, 1], MOVED @ [1, 1, 1, 1])
    assert scan.source.notes["coordinates"] == "SPM .mat"
    assert "warnings" not in scan.source.notes


def test_without_one_or_with_one_of_spm99_the_sides_are_a_guess_that_is_said(tmp_path):
    path = analyze(tmp_path)
    assert "guess" in load(path).source.notes["warnings"][0]
    savemat(tmp_path / "a.mat", {"M": SIZES})
    assert "guess" in load(path).source.notes["warnings"][0]


def test_one_that_changes_the_size_of_voxels_is_refused(tmp_path):
    path = analyze(tmp_path)
    savemat(tmp_path / "a.mat", {"mat": np.diag([2.0, 2, 2, 1])})
    with pytest.raises(GeometryError, match=r"a\.mat makes voxels of 2 × 2 × 2 mm"):
        load(path)


@pytest.mark.parametrize("content", [b"1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", b"\x00" * 300])
def test_a_mat_of_another_program_is_named_with_the_remedy(tmp_path, content):
    path = analyze(tmp_path)
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.mat.*Move it"):
        load(path)


def test_a_nifti_header_outweighs_it_and_that_is_said(tmp_path):
    path = analyze(tmp_path, nib.Nifti1Pair)
    plain = load(path)
    savemat(tmp_path / "a.mat", {"mat": MOVED})
    scan = load(path)
    assert np.array_equal(scan.affine, plain.affine)
    assert "a.mat" in scan.source.notes["warnings"][0]
