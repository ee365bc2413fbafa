#!/usr/bin/env bash
# A NIfTI header may give its lengths in micrometres (xyzt_units), as those of small animals and specimens do.
# Guess: packages that speak of mm turn them into mm.
# Seen: SimpleITK does (0.1 mm). nibabel hands the numbers on as they are (100), so mask_volume, documented in
# mm³, is 10⁹ times too large, and nilearn's smooth_img with fwhm 0.5 (mm; five voxels) changes nothing, without a word.
# Remedy: scale affine and zooms by the unit before either sees them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check nibabel==5.4.2 nilearn==0.14.1 SimpleITK==2.5.7
env/bin/python -W ignore - <<'PYTHON'
import nibabel
import nilearn
import numpy as np
import SimpleITK
from nibabel.imagestats import mask_volume
from nilearn.image import smooth_img

print("nibabel", nibabel.__version__, "nilearn", nilearn.__version__, "SimpleITK", SimpleITK.__version__)


def blob(size: float, unit: str) -> nibabel.Nifti1Image:
    values = np.zeros((21, 21, 21), np.float32)
    values[8:13, 8:13, 8:13] = 1
    image = nibabel.Nifti1Image(values, np.diag([size, size, size, 1]))
    image.header.set_xyzt_units(unit)
    image.to_filename(f"{unit}.nii")
    return nibabel.load(f"{unit}.nii")


found = {}
for size, unit in ((100, "micron"), (0.1, "mm")):
    image = blob(size, unit)
    changed = float(np.abs(smooth_img(image, 0.5).get_fdata() - image.get_fdata()).max())
    itk = SimpleITK.ReadImage(f"{unit}.nii").GetSpacing()[0]
    found[unit] = (itk, mask_volume(image), changed)
    print(f"{unit}: SimpleITK {itk:g} mm, nibabel's mask volume {mask_volume(image):g} mm³, smoothing changed {changed:.3f}")
micron, mm = found["micron"], found["mm"]
assert abs(micron[0] - 0.1) < 1e-6 and abs(mm[0] - 0.1) < 1e-6
assert abs(micron[1] / mm[1] / 1e9 - 1) < 1e-3
assert micron[2] < 1e-6 < 0.3 < mm[2]
PYTHON
