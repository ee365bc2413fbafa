"""What every registered encoder keeps, whatever its architecture."""

import pytest
import torch

from medunsup.core.errors import UsageError
from medunsup.core.registry import methods
from medunsup.nn.encoder import Encoder, make_encoder

SMALL = {"cnn": {"channels": 8}}  # parameters that make the tests quick; the defaults for all others
SIDE = {2: 64, 3: 32}
CASES = [(card.name, dims) for card in methods("encoder") for dims in card.dims]


def build(name: str, dims: int, channels: int = 1, seed: int = 0) -> Encoder:
    torch.manual_seed(seed)
    return make_encoder(name, SMALL.get(name), dims=dims, channels=channels).eval()


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

    def test_gradient_reaches_every_parameter(self, name, dims):
        encoder, x = build(name, dims).train(), images(dims)
        sum(one.square().mean() for one in encoder(x)).backward()
        untouched = {key for key, one in encoder.named_parameters() if one.grad is None}
        assert untouched == set()

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


@pytest.mark.parametrize(("name", "dims"), [("cnn", 2), ("cnn", 3)])
def test_an_impulse_moved_by_a_stride_moves_the_map_by_a_cell(name, dims):
    encoder = build(name, dims)
    for stride, first, second in zip(encoder.strides, *impulses(encoder, dims), strict=True):
        middle = (slice(None), slice(None), *[slice(side // 4, -(side // 4)) for side in first.shape[2:]])
        error = (torch.roll(first, 1, dims=2) - second)[middle].norm()
        assert error < 0.01 * (first - second)[middle].norm(), stride


def impulses(encoder: Encoder, dims: int) -> tuple[list, list]:
    """Responses to an impulse, and to one that lies a stride further along the first axis, at each level."""
    sides, pairs = [2 * SIDE[dims]] * dims, []
    for n, stride in enumerate(encoder.strides):
        x = torch.zeros(2, 1, *sides)
        x[(0, 0, *[SIDE[dims]] * dims)] = 1
        x[(1, 0, SIDE[dims] + stride, *[SIDE[dims]] * (dims - 1))] = 1
        with torch.no_grad():
            pairs.append(encoder(x)[n].split(1))
    return tuple(map(list, zip(*pairs, strict=True)))


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
