#!/usr/bin/env bash
# PersistentDataset keeps loaded scans on disk; what depends on the voxel size often stands behind it.
# Guess: an item is the same in every epoch.
# Seen: in the first epoch it carries the affine of the file, from the second on it is a bare tensor, taken as one with an
# identity affine. Spacingd to 1 mm then leaves slices of 3 mm as they are. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check monai==1.6.1 torch==2.13.0 nibabel==5.4.2
env/bin/python -W ignore - <<'PYTHON'
import pathlib

import monai
import nibabel
import numpy as np
from monai.data import MetaTensor, PersistentDataset
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, Spacingd

print("monai", monai.__version__, "nibabel", nibabel.__version__)
affine = np.diag([1.0, 1.0, 3.0, 1.0])
affine[:3, 3] = -10, -20, -30
values = np.random.default_rng(0).random((8, 9, 10), dtype=np.float32)
nibabel.save(nibabel.Nifti1Image(values, affine), "scan.nii.gz")
load = Compose([LoadImaged("image"), EnsureChannelFirstd("image")])
data = PersistentDataset([{"image": "scan.nii.gz"}], load, cache_dir=pathlib.Path("cache"))
resample = Spacingd("image", pixdim=(1.0, 1.0, 1.0))
seen = []
for epoch in (1, 2):
    item = data[0]
    knows = isinstance(item["image"], MetaTensor) and np.allclose(item["image"].affine, affine)
    shape = tuple(resample(dict(item))["image"].shape[1:])
    seen.append((knows, shape))
    print(f"epoch {epoch}: affine of the file kept {knows}, shape after Spacingd to 1 mm {shape}")
assert seen == [(True, (8, 9, 28)), (False, (8, 9, 10))]
PYTHON
