"""Feature maps are laid where their cells look: the middle of what each cell sees is where it is placed."""

import numpy as np
import pytest
import torch

from medunsup.nn import make_encoder
from medunsup.nn.placing import placed

SMALL = {
    "vit": {"sides": 64, "patch": 8, "width": 24, "layers": 1, "heads": 2},
    "swin": {"width": 12},
    "resnet": {"depth": 10, "channels": 8},
    "unet": {"channels": 8},
    "segresnet": {"channels": 8},
}
SIDE, COARSEST, DRAWS = 64, 8, 6


def middle_seen(encoder, level: int, cell: int) -> float:
    """Return the voxel around which a cell of a map looks, by how its value depends on each voxel."""
    stride, found = encoder.strides[level], []
    for _ in range(DRAWS):
        x = torch.randn(1, 1, SIDE, SIDE, requires_grad=True)
        values = encoder(x)[level][0, :, cell, cell]
        (values * torch.randn_like(values)).sum().backward()
        seen = x.grad[0, 0].square().sum(dim=1)
        near = torch.arange(SIDE)[max(0, (cell - 3) * stride) : (cell + 4) * stride]  # norms see everything
        found.append(float((seen[near] * near).sum() / seen[near].sum()))
    return float(np.mean(found))


@pytest.mark.parametrize("name", ["cnn", "unet", "segresnet", "resnet", "swin", "vit"])
def test_a_cell_lies_in_the_middle_of_what_it_sees(name):
    torch.manual_seed(0)
    encoder = make_encoder(name, SMALL.get(name), dims=2, channels=1).eval()
    for level, stride in enumerate(encoder.strides):
        if 1 < stride <= COARSEST:
            cell = SIDE // stride // 2
            lies = encoder.starts[level] + cell * stride
            assert middle_seen(encoder, level, cell) == pytest.approx(lies, abs=0.2 * stride)


@pytest.mark.parametrize("start", [0.0, 1.5])
def test_a_ramp_of_cells_becomes_the_same_ramp_of_voxels(start):
    cells = torch.arange(6.0) * 4 + start
    laid = placed(cells[None, None, :, None].expand(1, 1, 6, 2), (24, 8), stride=4, start=start)
    inside = torch.arange(24.0).clamp(start, float(cells[-1]))
    torch.testing.assert_close(laid[0, 0, :, 0], inside)


def test_half_the_resolution_is_the_mean_of_two_voxels():
    fine = torch.rand(2, 3, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    half = placed(fine, (4, 4, 4), stride=1, start=0.0, step=2)
    torch.testing.assert_close(half, torch.nn.functional.avg_pool3d(fine, 2))
