"""Heads behind an encoder: batch norm by the rows at hand, prototypes as directions."""

import pytest
import torch

from medunsup.nn.encoder import make_encoder
from medunsup.nn.heads import NormedProjector, Prototypes, batch_statistics


def rows(n: int = 12, width: int = 8, seed: int = 0) -> torch.Tensor:
    return 3 + torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


def test_batch_statistics_give_in_evaluation_what_training_gives_and_change_no_state():
    head = NormedProjector(8, 4)
    state = {name: value.clone() for name, value in head.state_dict().items()}
    with torch.no_grad(), batch_statistics(head.eval()):
        by_batch = head(rows())
    assert all(torch.equal(value, state[name]) for name, value in head.state_dict().items())
    assert torch.allclose(by_batch, head.train()(rows()), atol=1e-6)
    assert not torch.allclose(by_batch, head.eval()(rows()), atol=0.01)  # running ones, as they are now


def test_prototypes_are_directions():
    prototypes = Prototypes(8, 5)
    near = prototypes(7 * prototypes.directions)
    assert torch.allclose(near.diagonal(), torch.ones(5))
    assert prototypes(rows()).abs().max() <= 1 + 1e-6


@pytest.mark.parametrize("dims", [2, 3])
def test_images_smaller_than_a_cell_of_the_coarsest_map_have_features(dims):
    encoder = make_encoder("cnn", dims=dims, channels=1)
    sides = (16, 4, 6)[:dims]  # of which a cell covers 8
    x = torch.rand(2, 1, *sides)
    everywhere = torch.ones_like(x, dtype=torch.bool)
    assert torch.isfinite(encoder.features(x, x > 0.5)).all()
    half = everywhere.clone()
    half[:, :, 8:] = False
    first = encoder.features(x, half)
    coarsest = encoder(x)[-1][:, :, :1]
    assert torch.allclose(first, coarsest.flatten(2).mean(dim=2), atol=1e-6)
