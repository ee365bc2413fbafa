#!/usr/bin/env bash
# A NIfTI file may hold two affines: the qform of the scanner (code 1) and the sform of a registration to another image
# (code 2, "aligned") or to a template (3, 4). The standard leaves to the reader which one to use.
# Guess: the readers in daily use follow one order, sform before qform, so a voxel has one place in the head.
# Seen: nibabel takes the sform. SimpleITK takes it only if its code is 1, or the qform has none, and the qform otherwise:
# the same voxel lies 30 mm apart, without a word. To change the code from 2 to 1 moves it, with all numbers of the header alike.
# SimpleITK then writes what it took under both codes, 1 and 1: the registration is gone from the file.
# Remedy: compare the two affines before mixing packages, and write one of them into both places.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --only-binary :all: nibabel==5.4.2 SimpleITK==2.5.7 numpy==2.4.6
env/bin/python - <<'PYTHON'
import nibabel as nib
import numpy as np
import SimpleITK

print("nibabel", nib.__version__, "SimpleITK", SimpleITK.__version__)
scanner, registered = np.eye(4), np.eye(4)
scanner[:3, 3] = -8
angle = np.deg2rad(10)
registered[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
registered[:3, 3] = 20, -8, 5
VOXEL = (8, 8, 8)


def name_of(place):
    for name, affine in (("qform", scanner), ("sform", registered)):
        if np.allclose(place, nib.affines.apply_affine(affine, VOXEL), atol=1e-3):
            return name
    return "neither"


seen, places = {}, {}
for codes in ((0, 2), (1, 0), (1, 1), (1, 2), (1, 4), (2, 1), (2, 2)):
    image = nib.Nifti1Image(np.zeros((16, 16, 16), np.int16), None)
    image.set_qform(scanner, codes[0])
    image.set_sform(registered, codes[1])
    image.to_filename("scan.nii")
    of_nibabel = nib.affines.apply_affine(nib.load("scan.nii").affine, VOXEL)
    itk = SimpleITK.ReadImage("scan.nii")
    of_itk = np.array(itk.TransformIndexToPhysicalPoint(VOXEL)) * [-1, -1, 1]
    places[codes] = of_nibabel, of_itk
    seen[codes] = name_of(of_nibabel), name_of(of_itk)
    apart = np.linalg.norm(of_nibabel - of_itk)
    print(f"codes qform {codes[0]}, sform {codes[1]}: nibabel {seen[codes][0]}, SimpleITK {seen[codes][1]}, {apart:.1f} mm apart")
    if codes == (1, 2):
        SimpleITK.WriteImage(itk, "again.nii")
        again = nib.load("again.nii")
        left = name_of(nib.affines.apply_affine(again.affine, VOXEL)), int(again.header["qform_code"]), int(again.header["sform_code"])
        print(f"  read and written by SimpleITK: nibabel finds the {left[0]}, under codes {left[1]} and {left[2]}")
for codes in ((0, 2), (1, 1), (2, 1)):
    assert seen[codes] == ("sform", "sform")
assert seen[1, 0] == ("qform", "qform")
for codes in ((1, 2), (1, 4), (2, 2)):
    assert seen[codes] == ("sform", "qform")
assert left == ("qform", 1, 1)
assert np.linalg.norm(np.subtract(*places[1, 2])) > 25
PYTHON
