"""Presets are shipped, keep the schema, and a slip of the pen is answered with the nearest right word."""

from pathlib import Path

import pytest
import yaml

from medunsup.core.config import preset, presets, read_yaml
from medunsup.core.errors import UsageError
from medunsup.core.registry import method
from medunsup.workflows.segment.settings import SegmentSettings

NAMES = sorted(presets("segment"))


def test_every_yaml_file_of_the_tree_is_a_preset(repository):
    assert sorted(file.stem for file in (repository / "configs" / "segment").glob("*.yaml")) == NAMES
    assert "default" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_preset_keeps_the_schema_of_settings_and_of_its_method(name):
    settings = SegmentSettings.parse(preset("segment", name), where=name)
    config = method("tissue", settings.method).Config.parse(settings.parameters, where=name)
    assert settings.model_dump() | preset("segment", name) == settings.model_dump()
    assert config.model_dump() | settings.parameters == config.model_dump()


def test_default_preset_is_what_is_done_without_one():
    assert SegmentSettings.parse(preset("segment", "default")) == SegmentSettings()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("slip", [lambda key: key + "x", lambda key: key[:-1], lambda key: key.upper() + key])
def test_misspelt_key_is_refused(name, slip):
    for key in preset("segment", name):
        values = preset("segment", name)
        values[slip(key)] = values.pop(key)
        with pytest.raises(UsageError, match="unknown key"):
            SegmentSettings.parse(values, where=name)


def test_unknown_key_names_the_nearest(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("contrasst: T1w\n")
    with pytest.raises(UsageError, match="unknown key 'contrasst'; did you mean 'contrast'"):
        SegmentSettings.parse(preset("segment", str(path)), where=str(path))


def test_unknown_key_of_a_method_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'max_voxels'"):
        method("tissue", "gmm").Config.parse({"max_voxel": 5000})


def test_value_out_of_bounds_is_named():
    with pytest.raises(UsageError, match=r"seed: .*-1"):
        SegmentSettings.parse({"seed": -1})


def test_unknown_preset_names_the_nearest():
    with pytest.raises(UsageError, match=r"'fats'.*Did you mean 'fast'"):
        preset("segment", "fats")


@pytest.mark.parametrize("text", ["- a\n- b\n", "method: [unclosed\n", ""])
def test_file_that_is_no_mapping_is_named(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"mine\.yaml"):
        read_yaml(path)


def test_presets_can_be_read_by_any_yaml_reader(repository):
    for file in Path(repository / "configs").rglob("*.yaml"):
        assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict)
