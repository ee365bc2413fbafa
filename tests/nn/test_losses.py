"""Losses against NumPy, SciPy and finite differences, in double precision."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from medunsup.nn.losses import gradient_penalty, inside_mean, kl_to_standard_normal, total_variation

rng = np.random.default_rng(0)


def tensor(*shape: int) -> torch.Tensor:
    return torch.from_numpy(rng.normal(size=shape))


def test_the_mean_inside_weighs_each_item_alike_however_large_its_mask():
    values, masks = tensor(3, 2, 5, 4), torch.from_numpy(rng.random((3, 1, 5, 4)) < 0.5)
    expected = np.mean([values[n].numpy()[:, masks[n, 0].numpy()].mean() for n in range(3)])
    assert float(inside_mean(values, masks)) == pytest.approx(expected, abs=1e-12)


def test_an_item_with_an_empty_mask_counts_as_nothing():
    assert float(inside_mean(tensor(2, 1, 3, 3), torch.zeros(2, 1, 3, 3, dtype=torch.bool))) == 0


def test_the_divergence_is_the_integral_that_defines_it():
    mean, log_variance = np.array([0.7, -1.2]), np.array([0.3, -0.8])

    def integrand(z: float, n: int) -> float:
        posterior = stats.norm(mean[n], np.exp(log_variance[n] / 2))
        return posterior.pdf(z) * (posterior.logpdf(z) - stats.norm.logpdf(z))

    expected = sum(integrate.quad(integrand, -12, 12, args=(n,), epsabs=1e-10)[0] for n in range(2))
    found = kl_to_standard_normal(torch.tensor(mean)[None], torch.tensor(log_variance)[None])
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_the_divergence_of_the_prior_from_itself_is_nothing():
    assert torch.equal(kl_to_standard_normal(torch.zeros(2, 5), torch.zeros(2, 5)), torch.zeros(2))


def test_the_gradient_penalty_is_that_of_finite_differences():
    weights = rng.normal(size=12)

    def critic(x: np.ndarray) -> np.ndarray:
        return np.sin(x.reshape(len(x), -1) @ weights)

    real, fake = rng.normal(size=(3, 1, 3, 4)), rng.normal(size=(3, 1, 3, 4))
    share = torch.rand(3, generator=torch.Generator().manual_seed(5), dtype=torch.float64).numpy()
    between = share[:, None, None, None] * real + (1 - share)[:, None, None, None] * fake
    steps = 1e-6 * np.eye(12).reshape(12, 1, 1, 3, 4)
    slopes = np.stack([(critic(between + step) - critic(between - step)) / 2e-6 for step in steps])
    expected = np.mean((np.linalg.norm(slopes, axis=0) - 1) ** 2)
    found = gradient_penalty(
        lambda x: torch.sin(x.flatten(1) @ torch.from_numpy(weights)),
        torch.from_numpy(real),
        torch.from_numpy(fake),
        torch.Generator().manual_seed(5),
    )
    assert float(found.detach()) == pytest.approx(expected, abs=1e-6)


def test_the_gradient_penalty_reaches_the_critics_weights():
    critic = torch.nn.Linear(4, 1, dtype=torch.float64)
    real, fake = tensor(6, 4), tensor(6, 4)
    gradient_penalty(critic, real, fake, torch.Generator().manual_seed(0)).backward()
    norm = critic.weight.detach().norm()
    assert torch.allclose(critic.weight.grad, 2 * (norm - 1) * critic.weight / norm)


@pytest.mark.parametrize("shape", [(2, 1, 4, 5), (2, 2, 3, 4, 5)])
def test_total_variation_is_the_sum_of_absolute_steps_to_each_neighbour(shape):
    values = tensor(*shape)
    steps = [np.abs(np.diff(values.numpy(), axis=axis)) for axis in range(2, len(shape))]
    expected = sum(step.reshape(2, -1).sum(axis=1) for step in steps)
    assert np.allclose(total_variation(values), expected, atol=1e-12)
