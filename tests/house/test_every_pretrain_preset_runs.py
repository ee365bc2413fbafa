"""Every pretraining method has a preset, and every preset trains: one epoch on two scans of its grid."""

import numpy as np
import pytest

from medunsup.core.config import preset, presets
from medunsup.core.registry import methods
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Scans
from medunsup.workflows.pretrain.learn import build, check_covariates
from medunsup.workflows.pretrain.settings import PretrainSettings

NAMES = sorted(presets("pretrain"))
FEW = {"epochs": 1, "batch_size": 4, "patches_per_scan": 2}
LEVELS = slice(36, 40)  # axial slices that are not empty


def of_preset(name: str) -> PretrainSettings:
    return PretrainSettings.parse(preset("pretrain", name), where=name)


def test_every_method_has_a_preset():
    known = {of_preset(name).method for name in NAMES}
    ours = {card.name for card in methods("selfsupervised") if card.distribution == "medunsup"}
    assert ours <= known


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_preset_trains_on_scans_of_its_grid(name):
    settings = of_preset(name)
    check_covariates(settings)
    full = build(settings)
    config = full.config.model_copy(update=FEW)
    shape = ModelSpace(settings.spacing_mm).shape
    masks = np.zeros((2, *shape), bool)
    masks[:, 8:-8, 8:-8, LEVELS if config.dims == 2 else slice(8, -8)] = True
    values = np.random.default_rng(0).random((2, 1, *shape), np.float32) * masks[:, None]
    covariates = np.array([30.0, 60.0]) if settings.covariates else None
    scans = Scans(values, masks, ("a", "b"), ("A", "B"), covariates=covariates)
    before = {key: value.copy() for key, value in type(full)(config).fit(scans).state("encoder").items()}
    assert before
    assert all(np.isfinite(value).all() for value in before.values())
