"""`medunsup reduce` from end to end: what it prints, writes and refuses."""

import json

from helpers.feature_tables import write
from typer.testing import CliRunner

from medunsup.cli.main import app


def run(*words: object):
    return CliRunner().invoke(app, ["reduce", *map(str, words)])


def test_a_map_says_how_far_it_can_be_trusted_and_where_the_page_is(tmp_path):
    features = write(tmp_path / "features.parquet")
    done = run(features, "--method", "pca", "--colour", "age", "-o", tmp_path / "map")
    assert done.exit_code == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith("45 rows by pca: trustworthiness 0.")
    assert first.endswith("report.html")
    assert (tmp_path / "map" / "report.html").is_file()


def test_new_rows_are_placed_on_a_map_and_strange_ones_named(tmp_path):
    run(write(tmp_path / "f.csv"), "--method", "pca", "-o", tmp_path / "map")
    odd = write(tmp_path / "odd.csv", n=3, shift=900)
    done = run(odd, "--model", tmp_path / "map", "-o", tmp_path / "new")
    assert done.exit_code == 0, done.stderr
    assert "3 new rows on a map by pca" in done.stdout
    assert "their places mean little: sub-000 1" in done.stderr


def test_json_holds_the_figures_of_the_map_and_of_pca(tmp_path):
    features = write(tmp_path / "f.tsv")
    done = run(features, "--method", "mds", "--set", "steps=20", "-o", tmp_path / "map", "--json")
    said = json.loads(done.stdout)
    assert said["method"] == "mds"
    assert 0 < said["map"]["trustworthiness"] <= 1
    assert 0 < said["pca"]["continuity"] <= 1
    assert said["parameters"]["steps"] == 20


def test_a_parameter_that_the_method_lacks_is_named(tmp_path):
    features = write(tmp_path / "f.csv")
    done = run(features, "--method", "pca", "--set", "neighbors=3", "-o", tmp_path / "map")
    assert done.exit_code == 2
    assert "unknown key 'neighbors'" in done.stderr
    assert not (tmp_path / "map").exists()
