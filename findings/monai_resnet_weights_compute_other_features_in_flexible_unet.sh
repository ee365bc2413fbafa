#!/usr/bin/env bash
# An encoder pretrained as MONAI's resnet50 is put into FlexibleUNet(backbone="resnet50") for segmentation.
# Guess: no key is missing, so the encoder computes what was pretrained.
# Seen: no key is missing, yet the U-Net's stem has a stride of 2 where resnet50's has 1, and its shortcuts have no bias.
# All features are other ones, on grids half as fine. Compare outputs, not keys.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check monai==1.6.1 torch==2.13.0
env/bin/python -W ignore - <<'PYTHON'
import monai
import torch
from monai.networks.nets import FlexibleUNet, resnet50

print("monai", monai.__version__, "torch", torch.__version__)
torch.manual_seed(0)
pretrained = resnet50(spatial_dims=3, n_input_channels=1, num_classes=2).eval()
scan = torch.randn(1, 1, 32, 32, 32)
with torch.no_grad():
    stem = pretrained.act(pretrained.bn1(pretrained.conv1(scan)))
    wanted = pretrained.layer1(stem if pretrained.no_max_pool else pretrained.maxpool(stem))
encoder = FlexibleUNet(in_channels=1, out_channels=2, backbone="resnet50", spatial_dims=3).eval().encoder
report = encoder.load_state_dict(pretrained.state_dict(), strict=False)
with torch.no_grad():
    features = encoder(scan)
print("missing keys:", len(report.missing_keys))
print("left over, besides the classifier:", [key for key in report.unexpected_keys if not key.startswith("fc.")])
print("after the first stage: pretrained", tuple(wanted.shape), "in the U-Net", [tuple(each.shape) for each in features][1])
assert not report.missing_keys
assert tuple(wanted.shape[2:]) == (16, 16, 16)
assert tuple(features[1].shape[2:]) == (8, 8, 8)
PYTHON
