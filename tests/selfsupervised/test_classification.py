"""Methods that name a change: which there are, what is looked at, and that they are learned."""

from math import log

import numpy as np
import pytest
import torch
from helpers.pretraining import make
from helpers.small_brains import small_brains

from medunsup.selfsupervised.methods.jigsaw import _tiles
from medunsup.selfsupervised.methods.rotation import _middle
from medunsup.training.learner import View
from medunsup.training.scan_stack import Scans


def lit_from_above(n: int, seed: int, sides: tuple[int, ...] = (16, 16)) -> Scans:
    """Images brighter at one end of each axis, each axis in its own way, with noise of their own."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.linspace(0, 1, side) for side in sides], indexing="ij")
    ramp = sum((0.3 + 0.4 * axis) * (axes[axis] ** (axis + 1)) for axis in range(len(sides)))
    images = 0.1 + 0.5 * ramp / ramp.max() + rng.normal(0, 0.03, (n, *sides))
    return Scans.of_arrays(np.clip(images, 0.01, 1).astype(np.float32))


def accuracy_of(method, scans: Scans) -> float:
    data = method.dataset(scans)
    with torch.no_grad():
        loss = method.learner_.eval().loss(data.batch(np.arange(len(data))), torch.Generator().manual_seed(5))
    return float(loss.terms["accuracy"])


@pytest.mark.parametrize(
    ("name", "dims", "classes"),
    [("rotation", 2, 4), ("rotation", 3, 10), ("jigsaw", 2, 24), ("jigsaw", 3, 64)],
)
def test_all_changes_are_told_apart_and_guessing_has_their_loss(name, dims, classes):
    learner = make(name, dims)._build(small_brains().shape)
    assert learner.n_classes == classes
    assert learner.guessing == pytest.approx(log(classes))


def test_rotations_of_new_images_are_named():
    method = make("rotation", 2, epochs=12, batch_size=16).fit(lit_from_above(64, seed=0))
    assert accuracy_of(method, lit_from_above(80, seed=1)) > 0.9
    assert "scans that lie alike are one class" in method.trained_.verdict  # as these do


def test_orders_of_the_tiles_of_new_images_are_named():
    method = make("jigsaw", 2, epochs=60, batch_size=32, learning_rate=1e-2).fit(lit_from_above(96, seed=0))
    assert accuracy_of(method, lit_from_above(120, seed=1)) > 0.5  # of 24


def test_a_loss_of_guessing_is_told():
    flat = Scans.of_arrays(np.full((8, 16, 16), 0.5, np.float32))
    method = make("rotation", 2, epochs=8, batch_size=8)
    learner = method._build(flat.shape)
    history = [
        {"epoch": epoch, "cross_entropy": 1.4, "feature_std": 0.5, "feature_rank": 5.0, "zero_share": 0.0}
        for epoch in (0, 8)
    ]
    assert "(1.4) is no lower than that of guessing (1.386)" in learner.verdict(history)
    history[-1]["cross_entropy"] = 1.3
    assert learner.verdict(history) == ""


@pytest.mark.parametrize("sides", [(12, 12), (16, 12), (11, 16, 8)])
def test_the_middle_of_items_is_a_square_or_cube_around_the_same_centre(sides):
    x = torch.arange(np.prod(sides)).reshape(1, 1, *sides).float()
    made = _middle(View(x, x > 0))
    shortest = min(sides)
    box = tuple(slice((side - shortest) // 2, (side - shortest) // 2 + shortest) for side in sides)
    assert torch.equal(made.values[0, 0], x[0, 0][box])
    assert torch.equal(made.masks, made.values > 0)


@pytest.mark.parametrize(("sides", "count"), [((8, 8), 2), ((10, 13), 3), ((8, 6, 5), 2)])
def test_tiles_are_cut_side_by_side(sides, count):
    x = torch.rand(2, 3, *sides)
    tiles = _tiles(x, count).unflatten(0, (2, -1))
    assert tiles.shape == (2, count ** len(sides), 3, *(side // count for side in sides))
    for number, place in enumerate(np.ndindex(*[count] * len(sides))):
        cells = [side // count for side in sides]
        box = tuple(slice(at * cell, (at + 1) * cell) for at, cell in zip(place, cells, strict=True))
        assert torch.equal(tiles[:, number], x[(slice(None), slice(None), *box)])


def test_an_exemplar_is_the_item_as_it_is():
    learner = make("exemplar", 2)._build(small_brains().shape)
    data = make("exemplar", 2).dataset(small_brains())
    batch = data.batch(np.arange(6))
    changed, exemplar = learner.augment(batch, torch.Generator().manual_seed(0)).views
    assert torch.equal(exemplar.values, batch.values)
    assert not torch.equal(changed.values, batch.values)
