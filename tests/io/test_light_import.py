"""Loading a scan stays light: no deep learning framework, no plotting, no tables."""

import subprocess
import sys

import pytest
from helpers.dicom_maker import make_slices, write_slices
from helpers.nifti_maker import make_nifti

HEAVY = (
    "torch",
    "monai",
    "nilearn",
    "pandas",
    "sklearn",
    "matplotlib",
    "SimpleITK",
    "lightning",
    "scipy.stats",
)
CODE = (
    "import sys, medunsup; medunsup.load(sys.argv[1]);"
    f"print([name for name in {HEAVY} if name in sys.modules])"
)


@pytest.mark.parametrize("form", ["nifti", "dicom"])
def test_loading_a_scan_imports_no_heavy_package(form, tmp_path):
    if form == "nifti":
        path = make_nifti(tmp_path / "scan.nii.gz")
    else:
        path = write_slices(make_slices(), tmp_path / "series")
    run = subprocess.run([sys.executable, "-c", CODE, path], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_nifti_scan_needs_no_dicom_library(tmp_path):
    code = "import sys, medunsup; medunsup.load(sys.argv[1]); print('highdicom' in sys.modules)"
    path = make_nifti(tmp_path / "scan.nii.gz")
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
