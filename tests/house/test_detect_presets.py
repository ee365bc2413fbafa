"""Presets for `train` are shipped, keep the schema, and name models and scores that go together."""

import numpy as np
import pytest
import torch

from medunsup.anomaly.factory import build_model
from medunsup.core.config import preset, presets
from medunsup.core.errors import UsageError
from medunsup.core.registry import method
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Scans
from medunsup.workflows.train.fit import checked
from medunsup.workflows.train.settings import TrainSettings

NAMES = sorted(presets("detect"))
DEEP = [name for name in NAMES if preset("detect", name)["model"] not in ("pca", "healthy_atlas")]


def test_every_yaml_file_of_the_tree_is_a_preset(repository):
    assert sorted(file.stem for file in (repository / "configs" / "detect").glob("*.yaml")) == NAMES
    assert "default" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_preset_names_a_model_a_score_and_parameters_that_go_together(name):
    chosen = checked(TrainSettings.parse(preset("detect", name), where=name)).model_dump(mode="json")
    config = method("anomaly", chosen["model"]).Config.parse(chosen["parameters"]).model_dump()
    assert chosen | preset("detect", name) == chosen
    assert config | chosen["parameters"] == config


@pytest.mark.parametrize("name", DEEP)
def test_network_of_a_preset_fits_the_grid_it_will_see(name):
    chosen = TrainSettings.parse(preset("detect", name), where=name)
    model = build_model(chosen.model, chosen.parameters)
    values = np.random.default_rng(0).random((1, 1, *ModelSpace(chosen.spacing_mm).shape), np.float32)
    mask = np.zeros(values.shape[1:], bool)
    mask[..., values.shape[-1] // 2] = True  # a single slice, where slices are looked at
    view, learner = model.dataset(Scans(values, mask)), model._build(values.shape[1:])
    assert len(view) == 1
    with torch.no_grad():
        loss = learner.eval().validate(view.batch(np.arange(1)), torch.Generator().manual_seed(0))
    assert np.isfinite(float(loss))


@pytest.mark.parametrize("name", NAMES)
def test_preset_says_what_it_is_and_why_before_its_first_key(name, repository):
    lines = (repository / "configs" / "detect" / f"{name}.yaml").read_text("utf-8").splitlines()
    assert all(line.startswith("# ") for line in lines[:2])


def test_every_kind_of_model_has_a_preset():
    chosen = [TrainSettings.parse(preset("detect", name), where=name) for name in NAMES]
    kinds = {"pca", "healthy_atlas", "dae", "vae", "constrained_aae", "fanogan", "ddpm", "fpi"}
    assert kinds <= {each.model for each in chosen}
    assert any(each.parameters.get("dims") == 3 for each in chosen)


def test_default_preset_is_what_is_done_without_one():
    assert TrainSettings.parse(preset("detect", "default")) == TrainSettings()


@pytest.mark.parametrize("name", NAMES)
def test_misspelt_key_is_refused(name):
    for key in preset("detect", name):
        values = preset("detect", name)
        values[key + "x"] = values.pop(key)
        with pytest.raises(UsageError, match="unknown key"):
            TrainSettings.parse(values, where=name)
