"""What every registered encoder keeps, whatever its architecture."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from medunsup.core.errors import DependencyError, UsageError
from medunsup.core.registry import methods
from medunsup.nn.encoder import Encoder, make_encoder

SIDE = {2: 64, 3: 32}
SMALL = {  # parameters that make the tests quick; the defaults for all others
    "cnn": {"channels": 8},
    "resenc": {"widths": (8, 16, 24), "blocks": (1, 2, 1)},
    "resnet": {"depth": 10, "channels": 8},
    "segresnet": {"channels": 8},
    "swin": {"width": 12, "blocks": 1, "window": 2},
    "unet": {"channels": 8},
    "vit": {"width": 24, "layers": 2, "heads": 3, "patch": 8},
}
PACKAGE = pytest.mark.skipif(
    find_spec("dynamic_network_architectures") is None, reason="needs dynamic-network-architectures"
)
CASES = [
    pytest.param(card.name, dims, marks=[PACKAGE] if card.name == "resenc" else [])
    for card in methods("encoder")
    for dims in card.dims
]
CONVOLUTIONAL = [case for case in CASES if case.values[0] not in ("swin", "vit")]


def build(name: str, dims: int, channels: int = 1, seed: int = 0) -> Encoder:
    torch.manual_seed(seed)
    sides = {"sides": SIDE[dims]} if name == "vit" else {}
    return make_encoder(name, SMALL.get(name, {}) | sides, dims=dims, channels=channels).eval()


def images(dims: int, n: int = 2, channels: int = 1, seed: int = 1) -> torch.Tensor:
    return torch.randn(n, channels, *[SIDE[dims]] * dims, generator=torch.Generator().manual_seed(seed))


def box(dims: int, first: int, last: int) -> torch.Tensor:
    """A mask of one item: a cube from voxel `first` to before `last` along each axis."""
    mask = torch.zeros(1, 1, *[SIDE[dims]] * dims, dtype=torch.bool)
    mask[(0, 0, *[slice(first, last)] * dims)] = True
    return mask


@pytest.mark.parametrize(("name", "dims"), CASES)
class TestEncoder:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_maps_have_the_widths_and_strides_that_the_encoder_tells(self, name, dims, channels):
        encoder = build(name, dims, channels)
        found = encoder(images(dims, channels=channels))
        told = [
            (2, wide, *[-(-SIDE[dims] // stride)] * dims)
            for wide, stride in zip(encoder.widths, encoder.strides, strict=True)
        ]
        assert [tuple(one.shape) for one in found] == told
        assert list(encoder.strides) == sorted(encoder.strides)
        assert encoder.n_features == encoder.widths[-1]
        assert encoder.features(images(dims, channels=channels)).shape == (2, encoder.n_features)

    def test_an_item_gives_the_same_alone_as_in_a_batch_while_training_too(self, name, dims):
        encoder, x = build(name, dims).train(), images(dims, n=3)
        for whole, alone in zip(encoder(x), encoder(x[:1]), strict=True):
            assert torch.allclose(whole[:1], alone, atol=1e-5)

    def test_gradient_reaches_every_parameter_but_those_named_optional(self, name, dims):
        encoder, x = build(name, dims).train(), images(dims)
        sum(one.square().mean() for one in encoder(x)).backward()
        weights = dict(encoder.named_parameters())
        optional = {key for key in weights if any(part in key for part in encoder.optional)}
        assert {key for key, one in weights.items() if one.grad is None} == optional
        assert {key for key, one in weights.items() if not one.requires_grad} == optional

    def test_the_stem_holds_all_weights_that_depend_on_the_channels_of_the_images(self, name, dims):
        one, three = (build(name, dims, channels).state_dict() for channels in (1, 3))
        changed = {key for key in one if one[key].shape != three[key].shape}
        assert changed
        assert all(key.startswith(build(name, dims).stem) for key in changed)

    def test_nothing_depends_on_the_batch(self, name, dims):
        kinds = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.Dropout)
        active = [one for one in build(name, dims).modules() if isinstance(one, kinds)]
        assert not [one for one in active if getattr(one, "p", 1) > 0 and not is_instance_norm(one)]

    def test_the_seed_of_torch_fixes_the_weights(self, name, dims):
        first, same, other = (build(name, dims, seed=seed).state_dict() for seed in (0, 0, 1))
        assert all(torch.equal(first[key], same[key]) for key in first)
        assert not all(torch.equal(first[key], other[key]) for key in first)

    def test_stored_weights_give_the_same_maps(self, name, dims):
        stored, other, x = build(name, dims, seed=0), build(name, dims, seed=1), images(dims)
        assert not torch.equal(stored(x)[-1], other(x)[-1])
        other.load_state_dict(stored.state_dict())
        assert torch.equal(stored(x)[-1], other(x)[-1])

    def test_features_are_the_mean_of_the_cells_inside_the_mask(self, name, dims):
        encoder, x = build(name, dims), images(dims, n=1)
        cell = encoder.strides[-1]
        inside = encoder(x)[-1][(slice(None), slice(None), *[slice(0, 1)] * dims)]
        expected = inside.flatten(2).mean(dim=2)
        assert torch.allclose(encoder.features(x, box(dims, 0, cell)), expected, atol=1e-6)

    def test_an_empty_mask_counts_as_none(self, name, dims):
        encoder, x = build(name, dims), images(dims)
        nothing = torch.zeros(2, 1, *x.shape[2:], dtype=torch.bool)
        assert torch.allclose(encoder.features(x, nothing), encoder.features(x), atol=1e-6)

    def test_odd_sides_are_encoded_or_refused_with_sides_that_work(self, name, dims):
        encoder = build(name, dims)
        sides = [SIDE[dims] - 3, *[SIDE[dims]] * (dims - 1)]
        x = torch.zeros(1, 1, *sides)
        if encoder.divisor > 1:
            with pytest.raises(UsageError, match="Pad the images to") as refused:
                encoder(x)
            assert str(SIDE[dims]) in str(refused.value)
        else:
            assert encoder(x)[-1].shape[2] == -(-sides[0] // encoder.strides[-1])

    def test_images_of_other_channels_are_refused(self, name, dims):
        with pytest.raises(UsageError, match="built for 1 channels"):
            build(name, dims)(images(dims, channels=2))


@pytest.mark.parametrize(
    ("name", "dims"), [case for case in CASES if case.values[0] in ("resenc", "swin", "unet", "vit")]
)
def test_features_of_sides_that_do_not_divide_are_those_of_the_image_with_zeros_around(name, dims):
    encoder, x = build(name, dims), images(dims)
    assert encoder.divisor > 3
    cut = (slice(None), slice(None), *[slice(SIDE[dims] - 3)] * dims)
    inside = torch.zeros(2, 1, *x.shape[2:], dtype=torch.bool)
    inside[cut] = True
    expected = encoder.features(x * inside, inside)
    everywhere = torch.ones_like(inside[cut])
    for mask in (None, everywhere, ~everywhere):
        assert torch.allclose(encoder.features(x[cut], mask), expected, atol=1e-5)


def is_instance_norm(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.modules.instancenorm._InstanceNorm)


@pytest.mark.parametrize(("name", "dims"), CONVOLUTIONAL)
def test_an_impulse_moved_by_a_stride_moves_the_map_by_a_cell(name, dims):
    encoder = build(name, dims)
    side = {2: 256, 3: 64}[dims]
    for n, stride in enumerate(encoder.strides):
        if side // stride < 8:
            continue  # a map so small is all border
        x = torch.zeros(2, 1, *[side] * dims)
        x[(0, 0, *[side // 2] * dims)] = 1
        x[(1, 0, side // 2 + stride, *[side // 2] * (dims - 1))] = 1
        with torch.no_grad():
            first, second = encoder(x)[n].split(1)
        middle = (slice(None), slice(None), *[slice(cells // 4, -(cells // 4)) for cells in first.shape[2:]])
        error = (torch.roll(first, 1, dims=2) - second)[middle].norm()
        assert error < 0.1 * (first - second)[middle].norm(), stride


@pytest.mark.parametrize(("name", "dims"), [case for case in CASES if case not in CONVOLUTIONAL])
def test_the_grid_of_tokens_lies_as_the_image_does(name, dims):
    """A change in one corner changes each map most in that corner."""
    encoder, x = build(name, dims), images(dims, n=1)
    other, corner = x.clone(), (0, 0, slice(-8, None), *[slice(8)] * (dims - 1))
    other[corner] += 3
    for before, after in zip(encoder(x), encoder(other), strict=True):
        if before.shape[2] < 4:
            continue  # its cells see most of the image
        change = (after - before).abs().sum(dim=1)[0]
        first, *others = (int(at) for at in torch.unravel_index(change.argmax(), change.shape))
        assert first >= change.shape[0] / 2
        assert all(at < change.shape[0] / 2 for at in others)


def test_a_voxel_outside_the_mask_counts_only_through_the_cells_of_the_map():
    """Masks that differ inside one cell weigh that cell by the share of its voxels."""
    encoder, x = build("cnn", 2), images(2, n=1)
    cell, coarsest = encoder.strides[-1], encoder(x)[-1]
    mask = box(2, 0, cell)
    mask[0, 0, : cell // 2, cell : 2 * cell] = True  # half of the next cell
    expected = (coarsest[..., 0, 0] + 0.5 * coarsest[..., 0, 1]) / 1.5
    assert torch.allclose(encoder.features(x, mask), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "cnnn"}, "Did you mean 'cnn'"),
        ({"parameters": {"level": 2}}, "did you mean 'levels'"),
        ({"dims": 4}, "not there in 4D"),
        ({"channels": 0}, "at least 1 channel"),
    ],
)
def test_an_encoder_that_cannot_be_built_is_refused_in_words(given, said):
    asked = {"name": "cnn", "parameters": {}, "dims": 2, "channels": 1} | given
    with pytest.raises(UsageError, match=said):
        make_encoder(asked["name"], asked["parameters"], dims=asked["dims"], channels=asked["channels"])


def test_the_small_network_has_at_most_300000_parameters_in_2d():
    assert sum(one.numel() for one in make_encoder("cnn", dims=2, channels=1).parameters()) <= 300_000


def test_a_transformer_takes_other_sides_once_it_is_trained():
    """Where places are the same, interpolated or not, so are the tokens."""
    encoder = build("vit", 2)
    assert encoder(torch.zeros(1, 1, 80, 40))[-1].shape[2:] == (10, 5)
    x = images(2, n=1)
    assert torch.allclose(encoder._elsewhere(x), encoder.vit(x)[0], atol=1e-5)
    with pytest.raises(UsageError, match="Cut patches of these sides"):
        encoder.train()(torch.zeros(1, 1, 80, 40))


def test_listing_and_importing_encoders_loads_no_monai():
    code = """
import sys
from importlib import import_module
from medunsup.core.registry import methods
cards = methods("encoder")
assert "torch" not in sys.modules
for card in cards:
    import_module(card.module)
print(sorted({"monai", "lightning", "dynamic_network_architectures"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dynamic_network_architectures", None)
    monkeypatch.setitem(sys.modules, "dynamic_network_architectures.building_blocks.residual_encoders", None)
    with pytest.raises(DependencyError, match="pip install --no-deps 'dynamic-network-architectures"):
        make_encoder("resenc", dims=2, channels=1)


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("vit", {"sides": 30}, "multiples of `patch`"),
        ("vit", {"sides": (32, 32, 32)}, "should be 2 multiples"),
        ("vit", {"width": 25, "sides": 32}, "multiple of `heads`"),
        ("resenc", {"widths": (8, 16), "blocks": (1, 1, 1)}, "one number of 1 or more for each stage"),
    ],
)
def test_parameters_that_do_not_fit_one_another_are_refused(name, parameters, said):
    with pytest.raises(UsageError, match=said):
        make_encoder(name, parameters, dims=2, channels=1)


@PACKAGE
def test_a_coarsest_map_of_one_cell_is_refused_where_it_cannot_be_normalised():
    with pytest.raises(UsageError, match="one side should be 8 or more"):
        build("resenc", 3)(torch.zeros(1, 1, 4, 4, 4))


def test_the_features_of_a_transformer_are_no_single_token():
    encoder, x = build("vit", 2), images(2, n=1)
    tokens = encoder(x)[-1]
    assert torch.allclose(encoder.features(x), tokens.flatten(2).mean(dim=2), atol=1e-6)
    assert not torch.allclose(encoder.features(x), tokens[..., 0, 0], atol=1e-2)


@pytest.mark.parametrize("dims", [2, 3])
def test_images_smaller_than_a_cell_of_the_coarsest_map_have_features(dims):
    encoder = make_encoder("cnn", {"channels": 4, "levels": 3}, dims=dims, channels=1)
    images, masks = torch.rand(2, 1, *(4,) * dims), torch.ones(2, 1, *(4,) * dims, dtype=torch.bool)
    assert torch.allclose(encoder.features(images, masks), encoder(images)[-1].flatten(1), atol=1e-6)
