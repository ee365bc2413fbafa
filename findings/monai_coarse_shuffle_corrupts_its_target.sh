#!/usr/bin/env bash
# A pretext task restores a corrupted scan: it needs the pair (corrupted, original).
# Guess: a MONAI transform returns a new array, as RandGaussianNoise does, so the caller's array is the original.
# Seen: RandCoarseShuffle and RandCoarseDropout write into the caller's array. Input and target of the pair are then
# the same memory, the loss is 0 from the first step, and nothing is learned. Remedy: clone before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check monai==1.6.1 torch==2.13.0
env/bin/python -W ignore - <<'PYTHON'
import monai
import torch
from monai.transforms import RandCoarseDropout, RandCoarseShuffle, RandGaussianNoise

print("monai", monai.__version__, "torch", torch.__version__)
changed = {}
for transform in (RandCoarseShuffle, RandCoarseDropout, RandGaussianNoise):
    holes = {} if transform is RandGaussianNoise else {"holes": 4, "spatial_size": 8}
    target = torch.rand(1, 32, 32, 32, generator=torch.Generator().manual_seed(0))
    before = target.clone()
    corrupted = transform(prob=1.0, **holes)(target)
    loss = float(((corrupted - target) ** 2).mean())
    changed[transform.__name__] = not torch.equal(target, before)
    print(f"{transform.__name__}: caller's array changed {changed[transform.__name__]}, restoration loss {loss:.4f}")
    assert (loss == 0) == changed[transform.__name__]
assert changed == {"RandCoarseShuffle": True, "RandCoarseDropout": True, "RandGaussianNoise": False}
PYTHON
