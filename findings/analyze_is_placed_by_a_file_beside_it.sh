#!/usr/bin/env bash
# Old data sets come as Analyze pairs (.hdr/.img), to which SPM adds a .mat. The pair has no field for orientation.
# Guess: a reader of both halves places the scan alike everywhere, and two pairs alike to the byte are the same scan.
# Seen: nibabel takes orientation and place from the .mat, SimpleITK does not know it: the same voxel lies 22 to
# 58 mm apart, and the x axis runs the other way. Whoever copies, hashes or caches the pair without its .mat has another scan.
# Remedy: treat the three files as one input, and compare the sides after converting to NIfTI.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check nibabel==5.4.2 scipy==1.17.1 SimpleITK==2.5.7
env/bin/python -W ignore - <<'PYTHON'
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK
from scipy.io import savemat

print("nibabel", nibabel.__version__, "SimpleITK", SimpleITK.__version__)
values = np.arange(10 * 12 * 14, dtype=np.int16).reshape(10, 12, 14)
nibabel.AnalyzeImage(values, np.diag([2.0, 2, 2, 1])).to_filename("scan.img")
pair = [Path(f"scan{ending}").read_bytes() for ending in (".hdr", ".img")]


def x_of(voxel: tuple[int, int, int]) -> tuple[float, float]:
    by_nibabel = nibabel.load("scan.img").affine @ [*voxel, 1]
    by_itk = SimpleITK.ReadImage("scan.hdr").TransformIndexToPhysicalPoint(voxel)
    return float(by_nibabel[0]), -float(by_itk[0])  # ITK's x runs to the left


before = [x_of((n, 0, 0)) for n in (0, 9)]
place = np.diag([2.0, 2, 2, 1])
place[0, 3] = 20
savemat("scan.mat", {"mat": place})
after = [x_of((n, 0, 0)) for n in (0, 9)]
print("x of the first and last voxel, mm to the right, nibabel and SimpleITK")
print("without .mat", before, "with .mat", after)
assert pair == [Path(f"scan{ending}").read_bytes() for ending in (".hdr", ".img")]
assert [b for _, b in before] == [b for _, b in after]
assert [a for a, _ in before] != [a for a, _ in after]
sides = [np.sign(end - start) for start, end in ([a for a, _ in before], [a for a, _ in after])]
assert sides == [-1, 1]
PYTHON
