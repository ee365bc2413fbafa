"""Presets for `train` are shipped, keep the schema, and name models and scores that go together."""

import pytest

from medunsup.core.config import preset, presets
from medunsup.core.errors import UsageError
from medunsup.run.detect_settings import TrainSettings
from medunsup.run.learn import check_choices

NAMES = sorted(presets("detect"))


def test_every_yaml_file_of_the_tree_is_a_preset(repository):
    assert sorted(file.stem for file in (repository / "configs" / "detect").glob("*.yaml")) == NAMES
    assert "default" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_preset_names_a_model_a_score_and_parameters_that_go_together(name):
    check_choices(TrainSettings.parse(preset("detect", name), where=name))


def test_default_preset_is_what_is_done_without_one():
    assert TrainSettings.parse(preset("detect", "default")) == TrainSettings()


@pytest.mark.parametrize("name", NAMES)
def test_misspelt_key_is_refused(name):
    for key in preset("detect", name):
        values = preset("detect", name)
        values[key + "x"] = values.pop(key)
        with pytest.raises(UsageError, match="unknown key"):
            TrainSettings.parse(values, where=name)
