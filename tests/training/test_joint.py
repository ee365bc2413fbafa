"""A joint loss has the gradient of the whole batch, however the batch is worked off."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from helpers.train_learners import Contrast, NormInBoth, NormInLoss
from monai.transforms import RandGaussianNoised
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.training.datasets import Draws, Slices
from medunsup.training.loop import Training, train
from medunsup.training.optimizers import SGD

SIZE = 12


def slices() -> Slices:
    scans = small_brains(6)
    noisy = RandGaussianNoised(keys="values", prob=1.0, std=0.2)
    return Slices(scans.values, scans.masks, scans.names, transform=[noisy, noisy])


def after_one_batch(learner: Contrast, **training: object) -> dict[str, Tensor]:
    """Minus the gradient: what one step of size 1 adds."""
    before = {name: value.detach().clone() for name, value in learner.named_parameters()}
    data = slices()
    data.order = lambda seed, epoch: np.arange(SIZE)[::-1].copy() * 3
    train(learner, data, None, Training(accelerator="cpu", **training), epochs=1, batch_size=SIZE, seed=0)
    return {name: value.detach() - before[name] for name, value in learner.named_parameters()}


def plain_gradient(learner: Contrast) -> dict[str, Tensor]:
    """What torch itself says of the same batch."""
    batch = slices().batch(np.arange(SIZE)[::-1].copy() * 3, Draws(0, 0, 0))
    learner.piece_loss(batch, torch.Generator()).total.backward()
    return {name: -value.grad for name, value in learner.named_parameters()}


def farthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    return max(float((one[name] - other[name]).abs().max()) for name in one)


KINDS = [(Contrast, 1e-6), (NormInLoss, 1e-5)]  # the norm makes the gradient, and its rounding, larger


def contrast(kind: type[Contrast] = Contrast, *, joint: bool = True) -> Contrast:
    return kind(SGD(1.0, momentum=0.0), joint=joint)


@pytest.mark.parametrize(("kind", "close"), KINDS)
@pytest.mark.parametrize("parts", [1, 2, 5, 12])
def test_pieces_give_the_gradient_of_the_whole_batch(parts, kind, close):
    gradient = after_one_batch(contrast(kind), parts=parts)
    assert farthest(gradient, plain_gradient(contrast(kind))) < close
    assert all(value.abs().max() > 1e-3 for value in gradient.values())


@pytest.mark.parametrize("parts", [1, 2, 5, 12])
def test_buffers_are_those_of_the_whole_batch(parts):
    plain, learner = contrast(NormInLoss), contrast(NormInLoss)
    plain_gradient(plain)
    after_one_batch(learner, parts=parts)
    expected = dict(plain.named_buffers())
    assert expected["norm.running_mean"].abs().max() > 1e-3
    assert farthest(dict(learner.named_buffers()), expected) < 1e-6
    assert [int(expected[name]) for name in ("norm.num_batches_tracked", "losses", "embedded")] == [
        1,
        1,
        SIZE,
    ]


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_norm_in_embedding_and_loss_follows_both(parts):
    plain, learner = contrast(NormInBoth), contrast(NormInBoth)
    plain_gradient(plain)
    after_one_batch(learner, parts=parts)
    assert int(learner.norm.num_batches_tracked) == 3
    assert torch.allclose(learner.norm.running_mean, plain.norm.running_mean, atol=1e-6)


def test_a_loss_of_each_piece_alone_has_another_gradient():
    whole = plain_gradient(contrast())
    assert farthest(after_one_batch(contrast(joint=False), parts=1), whole) < 1e-6
    assert farthest(after_one_batch(contrast(joint=False), parts=2), whole) > 1e-2


def test_a_joint_loss_is_logged_once_for_the_whole_batch():
    told = []
    after_one_batch(contrast(), parts=3, tell=told.append)
    assert told[0].losses["items"] == SIZE


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "close"), KINDS)
@pytest.mark.parametrize("parts", [2, 5])
def test_two_processes_give_the_gradient_of_the_whole_batch(parts, kind, close):
    data, learner = slices(), contrast(kind)
    before = {name: value.detach().clone() for name, value in learner.named_parameters()}
    training = Training(accelerator="cpu", devices=2, parts=parts)
    train(learner, data, None, training, epochs=1, batch_size=len(data.order(0, 0)), seed=0)
    two = {name: value.detach() - before[name] for name, value in learner.named_parameters()}
    whole = contrast(kind)
    train(whole, data, None, Training(), epochs=1, batch_size=len(data.order(0, 0)), seed=0)
    one = {name: value.detach() - before[name] for name, value in whole.named_parameters()}
    assert farthest(one, two) < close
    assert all(value.abs().max() > 1e-3 for value in one.values())
    for name, value in whole.named_buffers():
        if name.startswith("norm"):
            assert torch.allclose(learner.get_buffer(name), value, atol=1e-6), name


def test_more_pieces_than_items_or_fewer_than_devices_are_refused():
    with pytest.raises(UsageError, match="batch of 12 cannot be split into 13 pieces"):
        after_one_batch(contrast(), parts=13)
    with pytest.raises(UsageError, match="give more parts"):
        after_one_batch(contrast(), parts=1, devices=2)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("parts", 0, "1 or more"), ("parts", -2, "1 or more"), ("workers", -1, "0 or more threads")],
)
def test_no_pieces_and_fewer_workers_than_none_are_refused(field, value, said):
    with pytest.raises(UsageError, match=f"{field} is {value}: give {said}"):
        Training(**{field: value})


def test_embeddings_that_are_no_rows_of_items_are_named():
    class Flat(Contrast):
        def embed(self, batch, generator):
            return (torch.cat(super().embed(batch, generator)[:2]),)

    with pytest.raises(ValueError, match=r"nt_xent: embed gives a row an item of 12, not \[\(24, 6\)\]"):
        after_one_batch(Flat(SGD(1.0)))
