import pytest
import torch

from medunsup.nn.autoencoder import Decoder, Encoder
from medunsup.nn.blocks import widths
from medunsup.nn.unet import UNet


@pytest.mark.parametrize("sides", [(16, 24), (16, 8, 24)])
def test_networks_keep_the_grid_in_two_and_three_dimensions(sides):
    x = torch.randn(2, 3, *sides)
    encoder = Encoder((3, *sides), channels=4, levels=3, outputs=7)
    decoder = Decoder((3, *sides), channels=4, levels=3, inputs=7)
    unet = UNet(len(sides), 3, 5, channels=4, levels=3)
    assert encoder(x).shape == (2, 7)
    assert decoder(encoder(x)).shape == x.shape
    assert unet(x).shape == (2, 5, *sides)


def test_an_item_comes_out_the_same_whatever_else_is_in_its_batch():
    x = torch.randn(3, 1, 16, 16)
    network = UNet(2, 1, 1, channels=8, levels=2)
    assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-5)


def test_features_double_down_to_eightfold():
    assert widths(16, 5) == [16, 32, 64, 128, 128, 128]
