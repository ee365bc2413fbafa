"""The VAE's terms against NumPy and finite differences."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from scipy import stats

from medunsup.anomaly.models.vae import VAE, VAEConfig, VAELearner
from medunsup.training.learner import Batch

CONFIG = VAEConfig(channels=4, levels=2, latent_dim=3, residual_sd=0.2)


@pytest.fixture
def learner() -> VAELearner:
    torch.manual_seed(0)
    return VAELearner((1, 8, 8), CONFIG).double()


def batch() -> Batch:
    rng = np.random.default_rng(0)
    masks = torch.from_numpy(rng.random((2, 1, 8, 8)) < 0.7)
    return Batch(torch.from_numpy(rng.random((2, 1, 8, 8))) * masks, masks, torch.arange(2))


def test_the_loss_is_the_negative_evidence_lower_bound(learner):
    data = batch()
    noise = torch.randn((2, 3), generator=torch.Generator().manual_seed(4), dtype=torch.float64).numpy()
    with torch.no_grad():
        mean, log_variance = (part.numpy() for part in learner.posterior(data.values))
        latents = mean + np.exp(log_variance / 2) * noise
        decoded = learner.decoder(torch.from_numpy(latents)).numpy()
    inside = data.masks.numpy()
    likelihood = stats.norm.logpdf(data.values.numpy(), decoded, CONFIG.residual_sd)[inside].sum() / 2
    divergence = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum() / 2
    loss = learner.loss(data, torch.Generator().manual_seed(4))
    assert float(loss.total.detach()) == pytest.approx((divergence - likelihood) / 64, abs=1e-6)
    assert float(loss.terms["divergence"]) == pytest.approx(divergence, abs=1e-6)


def test_the_gradient_map_is_the_slope_of_the_divergence():
    scans = small_brains(1, (8, 8, 4))
    values, mask = next(iter(scans))
    model = VAE(CONFIG)
    model.learner_ = model._build(scans.shape)
    found = model.gradient(values, mask)
    model.learner_.double()
    i, j, k = np.argwhere(mask)[len(np.argwhere(mask)) // 2]
    x = torch.from_numpy(values[None, :, :, :, k].astype(float))
    step = torch.zeros_like(x)
    step[0, 0, i, j] = 1e-5
    with torch.no_grad():
        slope = (model.learner_.divergence(x + step) - model.learner_.divergence(x - step)) / 2e-5
    assert found[0, i, j, k] == pytest.approx(float(slope), rel=1e-3, abs=1e-6)


def test_draws_differ_and_scatter_about_the_reconstruction():
    scans = small_brains()
    model = VAE(CONFIG.model_copy(update={"epochs": 2})).fit(scans)
    values, mask = next(iter(scans))
    draws = model.sample(values, mask, n=30, seed=0)
    assert np.array_equal(draws[:2], model.sample(values, mask, n=2, seed=0))
    assert not np.array_equal(draws[0], draws[1])
    healthy = model.reconstruct(values, mask)
    assert np.abs(draws.mean(axis=0) - healthy).mean() < 0.8 * np.abs(draws[0] - healthy).mean()


def test_restoring_moves_a_scan_towards_what_is_likely_but_a_blob_more_than_the_rest():
    scans = small_brains(8)
    model = VAE(CONFIG.model_copy(update={"epochs": 40, "learning_rate": 3e-3})).fit(scans)
    values, mask = (array.copy() for array in next(iter(scans)))
    blob = np.zeros_like(mask)
    blob[6:10, 6:10, 3:5] = True
    values[0, blob] += 0.5
    restored = model.restore(values, mask)
    change = np.abs(restored - values)[0]
    assert change[blob].mean() > 3 * change[mask & ~blob].mean()
