#!/usr/bin/env bash
# Label maps are brought to another voxel size with Spacingd(mode="nearest"), as MONAI's tutorials do.
# Guess: where each voxel of 2 mm becomes 8 of 1 mm, a lesion keeps its volume.
# Seen: new voxels lie half way between two old ones, and which of the two is taken follows from the parity of
# the index and from rounding. One lesion of 3 x 3 x 3 voxels, 216 mm3, becomes 343 or 125 mm3, by where its
# first voxel lies.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check monai==1.6.1 torch==2.13.0 nibabel==5.4.2
env/bin/python -W ignore - <<'PYTHON'
import monai
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Spacingd

print("monai", monai.__version__, "torch", torch.__version__)
seen = {}
for first in (10, 11):
    labels = torch.zeros(1, 32, 32, 32)
    labels[:, first : first + 3, first : first + 3, first : first + 3] = 1
    item = {"label": MetaTensor(labels, affine=torch.diag(torch.tensor([2.0, 2, 2, 1])))}
    fine = Spacingd("label", pixdim=(1, 1, 1), mode="nearest")(item)["label"]
    seen[first] = int(fine.sum())
    print(f"lesion of 216 mm3 from voxel {first} on: {seen[first]} mm3 at 1 mm, {tuple(fine.shape[1:])} voxels")
assert sorted(seen.values()) == [125, 343]
PYTHON
