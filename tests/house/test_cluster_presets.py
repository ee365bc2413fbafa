"""Presets for `cluster` are shipped, keep the schema, and find the groups that are there."""

import json

import numpy as np
import pytest
import yaml
from helpers.feature_tables import groups
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.config import preset, presets
from medunsup.core.errors import UsageError
from medunsup.core.registry import method
from medunsup.workflows.cluster.settings import ClusterSettings

NAMES = sorted(presets("cluster"))
LESS = ["--max-k", "3", "--seeds", "1", "--no-umap"]  # of each preset, so that it is quick


def wide(n: int) -> medunsup.FeatureTable:
    """Return rows of two groups with six features that tell them, and six that do not."""
    rows = groups(n)
    noise = np.random.default_rng(1).normal(size=(n, 6))
    names = [*rows.names, *(f"volumes/noise{one}_ml" for one in range(6))]
    return medunsup.FeatureTable(np.hstack([rows.values, noise]), names, rows.keys, rows.covariates)


def cluster(table, out, *words):
    run = CliRunner().invoke(app, ["cluster", str(table), "-o", str(out), "--json", "-q", *words])
    return run, json.loads(run.stdout) if run.stdout.startswith("{") else None


def test_every_yaml_file_of_the_tree_is_a_preset(repository):
    assert sorted(file.stem for file in (repository / "configs" / "cluster").iterdir()) == NAMES
    assert "default" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_preset_keeps_the_schema_of_settings_and_of_its_method(name):
    settings = ClusterSettings.parse(preset("cluster", name), where=name)
    config = method("clustering", settings.method).Config.parse(settings.parameters, where=name)
    assert settings.model_dump() | preset("cluster", name) == settings.model_dump()
    assert config.model_dump() | settings.parameters == config.model_dump()


@pytest.mark.parametrize("name", NAMES)
def test_preset_runs_and_finds_two_groups(name, tmp_path):
    table = medunsup.write_features(tmp_path / "features.csv", wide(60))
    run, found = cluster(table, tmp_path / "out", "--config", name, *LESS)
    assert run.exit_code == 0, run.output
    assert (found["method"], found["k"]) == (preset("cluster", name)["method"], 2)


def test_default_preset_is_what_is_done_without_one():
    assert ClusterSettings.parse(preset("cluster", "default")) == ClusterSettings()


def test_a_file_is_taken_and_options_win_over_it(tmp_path):
    table = medunsup.write_features(tmp_path / "features.csv", wide(20))
    mine = tmp_path / "mine.yaml"
    mine.write_text(yaml.safe_dump({"method": "kmeans", "k": 2, "parameters": {"n_init": 3}}))
    words = ["--config", str(mine), "--k", "3", "--set", "max_iter=50", *LESS]
    run, found = cluster(table, tmp_path / "out", *words)
    assert run.exit_code == 0, run.output
    assert (found["method"], found["k"]) == ("kmeans", 3)
    assert (found["parameters"]["n_init"], found["parameters"]["max_iter"]) == (3, 50)


def test_an_unknown_preset_and_a_misspelt_key_are_refused_with_the_nearest(tmp_path):
    table = medunsup.write_features(tmp_path / "features.csv", wide(20))
    run, _ = cluster(table, tmp_path / "out", "--config", "kmean")
    assert run.exit_code == 2
    assert "Did you mean 'kmeans'?" in run.output
    with pytest.raises(UsageError, match="unknown key"):
        ClusterSettings.parse({"kk": 2}, where="mine")


def test_a_model_has_its_choices_already(tmp_path):
    table = medunsup.write_features(tmp_path / "features.csv", wide(20))
    assert cluster(table, tmp_path / "out", "--config", "kmeans", "--k", "2", *LESS)[0].exit_code == 0
    run, _ = cluster(table, tmp_path / "new", "--model", str(tmp_path / "out"), "--config", "kmeans")
    assert run.exit_code == 2
    assert "leave" in run.output
