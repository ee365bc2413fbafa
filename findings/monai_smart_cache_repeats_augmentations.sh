#!/usr/bin/env bash
# Random augmentations in a data loader with two workers, over two epochs.
# Guess: MONAI's own DataLoader seeds each worker, so that each draw differs, whichever of its data sets is read.
# Seen: true for Dataset; with SmartCacheDataset both workers draw alike, and each epoch repeats the first. Of 16
# augmentations 4 are different. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check monai==1.6.1 torch==2.13.0
env/bin/python -W ignore - <<'PYTHON'
import monai
import torch
from monai.data import DataLoader, Dataset, SmartCacheDataset
from monai.transforms import Compose, RandShiftIntensityd

print("monai", monai.__version__, "torch", torch.__version__)
scans = [{"image": torch.zeros(1, 4, 4, 4)} for _ in range(8)]
quiet = {"replace_rate": 0.25, "cache_num": 8, "progress": False, "num_init_workers": 1, "num_replace_workers": 1}
distinct = {}
for kind, options in ((Dataset, {}), (SmartCacheDataset, quiet)):
    chain = Compose([RandShiftIntensityd("image", offsets=1.0, prob=1.0)])
    chain.set_random_state(0)
    loader = DataLoader(kind(scans, chain, **options), batch_size=1, num_workers=2)
    drawn = [round(float(batch["image"].mean()), 6) for _ in range(2) for batch in loader]
    distinct[kind.__name__] = len(set(drawn))
    print(f"{kind.__name__}: {distinct[kind.__name__]} different shifts in {len(drawn)} draws (2 epochs, 2 workers)")
assert distinct == {"Dataset": 16, "SmartCacheDataset": 4}
PYTHON
