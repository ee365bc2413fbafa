"""Maps of where an encoder looks: taken without changing what it says, and right by an independent count."""

import numpy as np
import pytest
import torch

from medunsup.nn import make_encoder
from medunsup.nn.attention import looked_at, names_of
from medunsup.nn.placing import placed

VIT = {"sides": 32, "patch": 8, "width": 24, "layers": 3, "heads": 3}


def vit(dims: int = 2, **more):
    torch.manual_seed(3)
    made = make_encoder("vit", {**VIT, **more}, dims=dims, channels=1).eval()
    for block in made.vit.blocks:
        torch.nn.init.normal_(block.attn.qkv.weight, std=0.3)  # so that attention is far from uniform
    return made


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dims", [2, 3])
def test_features_are_the_same_to_the_bit_while_and_after_attention_is_taken(dims):
    encoder, x = vit(dims), images(2, 1, *[32] * dims)
    with torch.no_grad():
        before = encoder.features(x)
        last = encoder.vit.blocks[-1].attn
        last.save_attn = True
        during = encoder.features(x)
        last.save_attn = False
        encoder.attention(x)
        after = encoder.features(x)
    assert torch.equal(before, during)
    assert torch.equal(before, after)
    assert not last.save_attn
    assert not last.att_mat.numel()


def test_rows_sum_to_one_and_are_the_softmax_of_queries_and_keys():
    encoder, x = vit(), images(2, 1, 32, 32)
    with torch.no_grad():
        rows = encoder.attention(x)
        tokens = encoder.vit.patch_embedding(x)
        for block in encoder.vit.blocks[:-1]:
            tokens = block(tokens)
        last = encoder.vit.blocks[-1]
        normed = last.norm1(tokens)
        weight = last.attn.qkv.weight.unflatten(0, (3, 3, 8))  # (q, k, v), head, features of a head
        q, k = (torch.einsum("btc,hdc->bhtd", normed, part) for part in weight[:2])
        wanted = torch.softmax(q @ k.transpose(2, 3) / np.sqrt(8), dim=-1)
    assert rows.shape == (2, 3, 16, 16)
    torch.testing.assert_close(rows.sum(dim=-1), torch.ones(2, 3, 16), rtol=0, atol=1e-5)
    torch.testing.assert_close(rows, wanted, rtol=0, atol=1e-5)
    assert rows.std() > 0.01


def test_a_heads_map_is_what_each_token_weighs_in_the_mean_over_the_mask():
    encoder, x = vit(), images(1, 1, 32, 32)
    mask = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    mask[..., 8:24, 16:32] = True  # rows 1 and 2 of the cells, columns 2 and 3
    rows = encoder.attention(x)[0].detach()
    inside = [4 * row + column for row in (1, 2) for column in (2, 3)]
    wanted = 16 * rows[:, inside].mean(dim=1).view(1, 3, 4, 4)
    wanted = placed(wanted, (32, 32), stride=8, start=3.5)[0]
    maps = looked_at(encoder, x, mask)
    for n in range(3):
        torch.testing.assert_close(maps[f"head{n + 1}"][0], wanted[n])
    torch.testing.assert_close(maps["mean"][0], wanted.mean(dim=0))


def test_uniform_attention_is_one_everywhere():
    encoder = vit()
    torch.nn.init.zeros_(encoder.vit.blocks[-1].attn.qkv.weight)
    for one in looked_at(encoder, images(2, 1, 32, 32)).values():
        torch.testing.assert_close(one, torch.ones(2, 32, 32))


@pytest.mark.parametrize("name", ["cnn", "resnet", "swin"])
def test_strengths_are_sums_of_squares_of_maps_at_three_depths(name):
    torch.manual_seed(0)
    small = {"swin": {"width": 12}, "resnet": {"depth": 10, "channels": 8}}
    encoder = make_encoder(name, small.get(name), dims=2, channels=1).eval()
    x = images(2, 1, 64, 64)
    maps, found = [one.detach() for one in encoder(x)], looked_at(encoder, x)
    assert names_of(encoder) == tuple(found) == ("coarse", "fine", "middle")
    assert encoder.attention(x) is None
    for name, level in (("coarse", len(maps) - 1), ("fine", 0), ("middle", len(maps) // 2)):
        strength = maps[level].square().sum(dim=1)
        assert float(found[name].max()) <= float(strength.max()) * (1 + 1e-5)
        if encoder.strides[level] == 1:
            torch.testing.assert_close(found[name], strength)


def test_other_sides_and_odd_sides_keep_their_size():
    encoder = vit()
    for sides in ((40, 32), (35, 30)):
        assert looked_at(encoder, images(1, 1, *sides))["mean"].shape == (1, *sides)
