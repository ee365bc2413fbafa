"""Pretext tasks have presets of their names, whose networks learn from the grid that they will see."""

import numpy as np
import pytest
import torch

from medunsup.core.config import preset
from medunsup.core.registry import methods
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Scans
from medunsup.workflows.pretrain.learn import build
from medunsup.workflows.pretrain.settings import PretrainSettings

FAMILIES = ("restoration", "classification", "prediction")
NAMES = [card.name for card in methods("selfsupervised") if card.family in FAMILIES]


def chosen(name: str) -> PretrainSettings:
    return PretrainSettings.parse(preset("pretrain", name), where=name)


@pytest.mark.parametrize("name", NAMES)
def test_every_pretext_task_has_a_preset_of_its_name(name, repository):
    assert chosen(name).method == name
    lines = (repository / "configs" / "pretrain" / f"{name}.yaml").read_text("utf-8").splitlines()
    assert all(line.startswith("# ") for line in lines[:2])


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_of_scans_on_the_template_grid_is_finite(name):
    method = build(chosen(name))
    values = np.random.default_rng(0).random((1, 1, *ModelSpace(chosen(name).spacing_mm).shape), np.float32)
    scans = Scans(values, np.ones(values[:, 0].shape, bool))
    data, learner = method.dataset(scans), method._build(scans.shape)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        batch = learner.augment(data.batch(np.arange(2)), generator)
        assert np.isfinite(float(learner.eval().validate(batch, generator)))
