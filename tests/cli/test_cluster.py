"""`medunsup cluster` from end to end: what it prints, writes and refuses."""

import json
from pathlib import Path

from helpers.feature_tables import write_groups
from typer.testing import CliRunner

from medunsup.cli.main import app

QUICK = ("--method", "kmeans", "--max-k", "3", "--seeds", "2", "--no-umap")


def run(*words: object):
    return CliRunner().invoke(app, ["cluster", *map(str, words)])


def test_the_verdict_is_the_first_line(tmp_path: Path):
    features = write_groups(tmp_path / "f.parquet", 80)
    done = run(features, *QUICK, "--truth", "group", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("2 clusters: a valley parts each two")
    assert any(line.strip().startswith("accuracy: 1.000") for line in lines)
    assert any("age" in line and "standardised mean difference" in line for line in lines)


def test_json_holds_what_a_program_asks_for(tmp_path: Path):
    features = write_groups(tmp_path / "f.csv", 40)
    done = run(features, *QUICK, "--k", 2, "-o", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["k"] == 2
    assert len(said["labels"]) == 40
    assert said["verdict"].startswith("2 clusters, as asked for")
    assert 0 <= said["stability"]["halves"]["mean"] <= 1
    assert said["figures"]["silhouette"]["low"] <= said["figures"]["silhouette"]["mean"]


def test_new_rows_get_their_cluster(tmp_path: Path):
    run(write_groups(tmp_path / "f.csv", 40), *QUICK, "--k", 2, "-o", tmp_path / "out")
    done = run(write_groups(tmp_path / "n.csv", 5), "--model", tmp_path / "out", "-o", tmp_path / "new")
    assert done.exit_code == 0, done.stderr
    assert "5 new rows in the clusters of out: 3 in cluster 0, 2 in cluster 1" in done.stdout
    assert (tmp_path / "new" / "clusters.tsv").is_file()
    assert not (tmp_path / "new" / "model.safetensors").exists()


def test_a_number_that_is_none_is_named(tmp_path: Path):
    done = run(write_groups(tmp_path / "f.csv", 40), "--k", "some", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "k: should be" in done.stderr
    assert not (tmp_path / "out").exists()
