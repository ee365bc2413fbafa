"""A network as a program computes what the network computes, for the one shape that it takes."""

from io import BytesIO

import numpy as np
import pytest
import torch

from medunsup.core.errors import StepError
from medunsup.nn.encoder import make_encoder
from medunsup.nn.program import ImageFeatures, Labels, VolumeFeatures, as_program, check_same, difference
from medunsup.nn.segmenter import SegmentationNetwork
from medunsup.selfsupervised.encode import encode

SMALL = {"cnn": {"channels": 2, "levels": 2}, "resnet": {"depth": 10, "channels": 8}}
LARGE = {
    "unet": {"channels": 8},
    "segresnet": {"channels": 8},
    "swin": {"width": 12, "blocks": 1, "window": 2},
    "vit": {"sides": 32, "layers": 1, "width": 24, "heads": 3},
}
SHAPES = [(1, 32, 16, 16), (1, 16, 20, 32)]
ALL = [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]


def made(name: str, dims: int):
    torch.manual_seed(0)
    return make_encoder(name, {**SMALL, **LARGE}[name], dims=dims, channels=1)


def loaded(network, shape) -> torch.nn.Module:
    return torch.jit.load(BytesIO(as_program(network, shape)))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", ALL)
def test_programs_compute_what_networks_do_at_several_sizes(name, dims):
    encoder = made(name, dims)
    for shape in SHAPES:
        for network in (Labels(SegmentationNetwork(encoder, 3)), VolumeFeatures(encoder)):
            assert check_same(network.eval(), loaded(network, shape), shape) <= 1e-6
    network, shape = ImageFeatures(made(name, 2)).eval(), (1, 48, 32)
    assert check_same(network, loaded(network, shape), shape) <= 1e-6


def test_inputs_of_another_shape_are_refused():
    program = loaded(Labels(SegmentationNetwork(made("unet", 3), 2)), (1, 16, 16, 16))
    with pytest.raises(Exception, match="takes inputs of one shape"):
        program(torch.zeros(1, 1, 20, 16, 16))


@pytest.mark.parametrize("dims", [2, 3])
def test_features_of_a_program_are_those_of_an_encoder(dims):
    encoder = made("cnn", dims).eval()
    values = np.random.default_rng(0).random((2, 1, 16, 16, 16), np.float32)
    values[0, ..., 10:] = 0
    values[:, :, :4] = 0
    ours = loaded(VolumeFeatures(encoder), values.shape[1:])(torch.from_numpy(values))
    np.testing.assert_allclose(ours.numpy(), encode(encoder, values, values[:, 0] != 0), atol=1e-6)
    whole = loaded(VolumeFeatures(encoder, only_inside=False), values.shape[1:])(torch.from_numpy(values))
    np.testing.assert_allclose(whole.numpy(), encode(encoder, values), atol=1e-6)


def test_an_empty_slice_is_background():
    network = Labels(SegmentationNetwork(made("cnn", 2), 3))
    x = torch.rand(1, 1, 16, 16, 4)
    x[..., 2] = 0
    found = loaded(network, x.shape[1:])(x)
    assert (found[0, 0, ..., 2] == 1).all()
    assert (found[0, 0, ..., 1] < 1).any()
    torch.testing.assert_close(found.sum(dim=1), torch.ones(1, 16, 16, 4))


def test_another_network_is_told_from_its_program():
    network, shape = Labels(SegmentationNetwork(made("cnn", 3), 2)), (1, 16, 16, 16)
    program = loaded(network, shape)
    with torch.no_grad():
        network.network.decoder.last.bias += torch.tensor([0.1, 0.0])
    assert difference(network, program, shape) > 1e-3
    with pytest.raises(StepError, match="computes something else"):
        check_same(network, program, shape)
