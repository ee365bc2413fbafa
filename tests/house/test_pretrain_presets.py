"""Presets for `pretrain` are shipped, keep the schema, and name parameters that the method takes."""

import pytest

from medunsup.core.config import preset, presets
from medunsup.workflows.pretrain.learn import build
from medunsup.workflows.pretrain.settings import PretrainSettings

NAMES = sorted(presets("pretrain"))


def test_every_yaml_file_of_the_tree_is_a_preset(repository):
    assert sorted(file.stem for file in (repository / "configs" / "pretrain").glob("*.yaml")) == NAMES
    assert "default" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_preset_keeps_the_schema_of_settings_and_of_its_method(name):
    settings = PretrainSettings.parse(preset("pretrain", name), where=name)
    assert build(settings).method_name == settings.method
    plain = settings.model_dump(mode="json")
    assert plain | preset("pretrain", name) == plain


def test_default_preset_is_what_is_done_without_one():
    assert PretrainSettings.parse(preset("pretrain", "default")) == PretrainSettings()


@pytest.mark.parametrize("name", NAMES)
def test_network_of_a_preset_takes_the_grid_it_will_see(name):
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    method = build(PretrainSettings.parse(preset("pretrain", name)))
    method.learner_ = method._build((1, *ModelSpace(8.0).shape))
    assert method.encoder_.dims == method.config.dims
