"""How a new method is written: contrastive pretraining in a few lines, on random patches of slices."""

import numpy as np
import torch
from helpers.small_brains import small_brains
from torch import nn
from torch.nn import functional

from medunsup.nn.autoencoder import Encoder
from medunsup.training.estimator import Estimator, EstimatorConfig
from medunsup.training.learner import Batch, Learner, Loss, Objective, View
from medunsup.training.loop import Training
from medunsup.training.optimizers import AdamW, Cosine
from medunsup.training.patches import Patches

SIDE = 12


class ContrastiveLearner(Learner):
    """An encoder whose codes of two views of a patch are alike (Chen et al., ICML 2020, arXiv:2002.05709)."""

    def __init__(self, shape, config):
        super().__init__()
        self.encoder = Encoder((shape[0], SIDE, SIDE), channels=8, levels=2, outputs=16)
        self.projector = nn.Sequential(nn.SiLU(), nn.Linear(16, 16))
        self.register_buffer("temperature", torch.tensor(1.0))
        self.rate = config.learning_rate

    def objectives(self):
        how = {"schedule": Cosine(warmup=0.1), "weight_decay": 0.01, "embed": self.embed}
        return [Objective("nt_xent", self.parameters, self.loss, AdamW(self.rate), **how)]

    def augment(self, batch, generator):
        return Batch.of_views([changed(batch, generator) for _ in range(2)], batch.scans)

    def embed(self, batch, generator):
        codes = (self.projector(self.encoder(view.values)) for view in batch.views)
        return tuple(functional.normalize(code, dim=1) for code in codes)

    def loss(self, embeddings, generator):
        z, n = torch.cat(embeddings), len(embeddings[0])
        alike = (z @ z.T / self.temperature).masked_fill(torch.eye(2 * n, dtype=torch.bool), -torch.inf)
        return Loss(functional.cross_entropy(alike, torch.arange(2 * n).roll(n)), {})

    def after_step(self, progress):
        self.temperature.fill_(1.0 - 0.8 * progress.fraction)


def changed(batch: Batch, generator: torch.Generator) -> View:
    """Brighter or darker, noisy, and the left side right in half of the patches."""
    each = (len(batch), 1, 1, 1)
    gain = 0.5 + 1.0 * torch.rand(each, generator=generator)
    noise = 0.1 * torch.randn(batch.values.shape, generator=generator)
    is_flipped = torch.rand(each, generator=generator) < 0.5
    values = (gain * batch.values + noise) * batch.masks
    return View(torch.where(is_flipped, values.flip(2), values), batch.masks)


class Contrastive(Estimator):
    Config = EstimatorConfig
    method_name = "contrastive"

    def build(self, shape):
        return ContrastiveLearner(shape, self.config)

    def dataset(self, scans, transform=None):
        return Patches(scans.values, scans.masks, scans.names, size=(SIDE, SIDE), per_scan=8, inside=0.9)


def share_matched(model: Contrastive) -> float:
    """Share of new patches whose second view is nearest to their first, of all second views."""
    data = model.dataset(small_brains(6, seed=11))
    batch = data.batch(data.order(0, 0))
    learner = model.learner_.eval()
    with torch.no_grad():
        one, other = learner.embed(learner.augment(batch, torch.Generator().manual_seed(1)), None)
    return float(((one @ other.T).argmax(dim=1) == torch.arange(len(one))).float().mean())


def test_two_views_of_a_new_patch_are_told_from_those_of_others():
    config = EstimatorConfig(epochs=24, batch_size=24, learning_rate=3e-3)
    model = Contrastive(config).fit(small_brains(), training=Training(parts=2))
    untrained = Contrastive(config)
    untrained.learner_ = untrained._build(small_brains().shape)
    assert share_matched(model) > 2 * share_matched(untrained)
    assert np.isclose(float(model.state()["temperature"]), 0.2)


def test_validation_sees_the_same_views_each_time():
    config = EstimatorConfig(epochs=3, batch_size=24)
    runs = [Contrastive(config).fit(small_brains(), validation=small_brains(4, seed=3)) for _ in range(2)]
    first, again = (run.trained_.best_validation for run in runs)
    assert first == again
    assert 0 < first < np.log(2 * 24 - 1)  # of two batches, of 24 patches and of 8: no worse than chance
