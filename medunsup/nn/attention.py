"""Where an encoder looks: attention of its last block, or strength of its maps; without gradients."""

from collections.abc import Mapping

import torch
from torch import Tensor

from medunsup.nn.encoder import Encoder, filled_up, whole_if_empty
from medunsup.nn.placing import placed

MEAN, COARSE, MIDDLE, FINE = "mean", "coarse", "middle", "fine"


def looked_at(encoder: Encoder, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
    """Return maps (B, ...) of where an encoder looks in images (B, C, ...), the main one first.

    Of an encoder with global attention: "mean" of all heads, then "head1" and so on. A head's map is the mean
    of the rows of the last block's attention over the tokens inside the mask (B, 1, ...), each by the share
    of its voxels: the weights with which the tokens make the mean that is the image's features. They are
    given times the number of tokens: 1 everywhere if all counted alike.

    Of any other: "coarse", then "fine" and "middle" if there are such maps: the sum of squares over the
    channels (Zagoruyko & Komodakis, ICLR 2017, arXiv:1612.03928). The coarsest map makes the features.

    Each is interpolated linearly to the voxels, where its cells lie.
    """
    sides = x.shape[2:]
    inside = filled_up(whole_if_empty(x, mask), encoder.divisor)
    x = filled_up(x, encoder.divisor)
    with torch.no_grad():
        rows = encoder.attention(x)
        found = _strengths(encoder(x)) if rows is None else _heads(encoder, rows, inside)
    return {
        name: placed(one[:, None], sides, stride=encoder.strides[level], start=encoder.starts[level])[:, 0]
        for name, (level, one) in found.items()
    }


def names_of(encoder: Encoder) -> tuple[str, ...]:
    """Name the maps that `looked_at` returns, the main one first."""
    if encoder.heads:
        return (MEAN, *(f"head{n + 1}" for n in range(encoder.heads)))
    return tuple(_depths(len(encoder.widths)))


def _heads(encoder: Encoder, rows: Tensor, inside: Tensor) -> Mapping[str, tuple[int, Tensor]]:
    """Average the rows (B, heads, queries, keys) over the queries inside."""
    weights = encoder.cell_weights(inside)
    grid = [side // encoder.strides[-1] for side in inside.shape[2:]]
    said = torch.einsum("bhqk,bq->bhk", rows.float(), weights / weights.sum(dim=1, keepdim=True))
    said = (said * said.shape[2]).unflatten(2, grid)
    heads = {f"head{n + 1}": said[:, n] for n in range(said.shape[1])}
    return {name: (-1, one) for name, one in {MEAN: said.mean(dim=1), **heads}.items()}


def _strengths(maps: list[Tensor]) -> Mapping[str, tuple[int, Tensor]]:
    return {
        name: (level, maps[level].float().square().sum(dim=1)) for name, level in _depths(len(maps)).items()
    }


def _depths(n: int) -> dict[str, int]:
    """Choose up to three of n maps."""
    chosen = {COARSE: n - 1, FINE: 0, MIDDLE: n // 2}
    levels = list(chosen.values())
    return {name: level for k, (name, level) in enumerate(chosen.items()) if level not in levels[:k]}
