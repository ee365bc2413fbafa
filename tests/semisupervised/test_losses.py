"""Losses of learning with few labels against references of NumPy alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from medunsup.semisupervised.losses.consistency import consistency
from medunsup.semisupervised.losses.entropy import entropy
from medunsup.semisupervised.losses.mixup import mixup
from medunsup.semisupervised.losses.pseudo_label import pseudo_label
from medunsup.semisupervised.losses.sharpen import sharpen
from medunsup.semisupervised.losses.soft_cross_entropy import soft_cross_entropy

seeds = st.integers(0, 2**31)
quick = settings(deadline=None, max_examples=25)


def scores(seed: int, shape=(6, 3), scale: float = 3.0) -> torch.Tensor:
    return torch.from_numpy(scale * np.random.default_rng(seed).normal(size=shape)).float()


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@quick
@given(seed=seeds, threshold=st.floats(0, 1))
def test_a_pseudo_label_at_or_below_the_threshold_costs_nothing_and_teaches_nothing(seed, threshold):
    said, learning = scores(seed), scores(seed + 1).requires_grad_()
    loss, used = pseudo_label(said, learning, threshold)
    best = said.softmax(dim=1).max(dim=1).values
    assert torch.equal(used, best > threshold)
    assert (loss[~used] == 0).all()
    (slope,) = torch.autograd.grad(loss.sum(), learning)
    assert (slope[~used] == 0).all()
    wanted = functional.cross_entropy(learning, said.argmax(dim=1), reduction="none")
    torch.testing.assert_close(loss[used], wanted[used])


def test_a_threshold_of_one_uses_no_answer_however_sure():
    sure = torch.tensor([[200.0, 0.0]])
    assert not pseudo_label(sure, sure, 1.0)[1].any()


def test_no_gradient_reaches_what_pseudo_labels_are_made_of():
    said, learning = scores(0).requires_grad_(), scores(1).requires_grad_()
    pseudo_label(said, learning, 0.0)[0].sum().backward()
    assert said.grad is None
    assert learning.grad is not None


@quick
@given(seed=seeds)
def test_gradient_of_the_entropy_is_that_of_its_formula(seed):
    """dH/dz_k = -p_k (log p_k + H), without automatic differentiation."""
    z = scores(seed).double().requires_grad_()
    (slope,) = torch.autograd.grad(entropy(z).sum(), z)
    p = softmax(z.detach().numpy())
    h = -(p * np.log(p)).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(slope.numpy(), -p * (np.log(p) + h), atol=1e-5)


def test_entropy_is_zero_when_sure_and_log_k_when_equal_even_far_out():
    z = torch.tensor([[1e4, 0.0, 0.0], [0.0, 0.0, 0.0], [-1e4, -1e4, -1e4]])
    np.testing.assert_allclose(entropy(z), [0, np.log(3), np.log(3)], rtol=1e-6)


@quick
@given(seed=seeds)
def test_consistency_is_the_mean_squared_difference_of_probabilities(seed):
    one, other = scores(seed, (4, 3, 2, 2)), softmax(scores(seed + 1, (4, 3, 2, 2)).numpy())
    found = consistency(one, torch.from_numpy(other))
    np.testing.assert_allclose(found, ((softmax(one.numpy()) - other) ** 2).mean(axis=1), atol=1e-6)


def test_soft_cross_entropy_of_whole_labels_is_the_plain_one():
    z, labels = scores(0), torch.arange(6) % 3
    torch.testing.assert_close(
        soft_cross_entropy(z, functional.one_hot(labels, 3).float()),
        functional.cross_entropy(z, labels, reduction="none"),
    )


@quick
@given(seed=seeds, temperature=st.floats(0.05, 1))
def test_sharpening_is_a_power_that_sums_to_one_and_keeps_the_order(seed, temperature):
    p = softmax(scores(seed).double().numpy())
    wanted = p ** (1 / temperature)
    found = sharpen(torch.from_numpy(p), temperature).numpy()
    np.testing.assert_allclose(found, wanted / wanted.sum(axis=1, keepdims=True), rtol=1e-3, atol=1e-6)
    assert np.array_equal(found.argmax(axis=1), p.argmax(axis=1))


@quick
@given(seed=seeds, alpha=st.floats(0.1, 5))
def test_mixtures_keep_the_sum_of_targets_and_are_mostly_the_item_itself(seed, alpha):
    generator, targets = torch.Generator().manual_seed(seed), torch.eye(5)
    values, masks = torch.eye(5).view(5, 1, 5, 1), torch.zeros(5, 1, 5, 1, dtype=torch.bool)
    masks[0] = True
    mixed, of_mixed, joined = mixup(values, targets, masks, alpha=alpha, generator=generator)
    torch.testing.assert_close(of_mixed.sum(dim=1), torch.ones(5))
    torch.testing.assert_close(mixed.flatten(1), of_mixed)  # values and targets are mixed alike
    assert (of_mixed.diagonal() >= 0.5 - 1e-6).all()
    assert joined.flatten(1).any(dim=1).sum() in (1, 2)


def test_a_seed_decides_the_mixtures():
    targets, values = torch.eye(4), torch.rand(4, 1, 3, 3)
    masks = torch.ones(4, 1, 3, 3, dtype=torch.bool)

    def mixed(seed: int) -> torch.Tensor:
        return mixup(values, targets, masks, alpha=1.0, generator=torch.Generator().manual_seed(seed))[0]

    assert torch.equal(mixed(0), mixed(0))
    assert not torch.equal(mixed(0), mixed(1))


@pytest.mark.parametrize("loss", [entropy, lambda z: consistency(z, z.softmax(dim=1).flip(1))])
def test_losses_are_float32_and_finite_in_half_precision(loss):
    found = loss(torch.tensor([[60000.0, -60000.0]]).half())
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()
