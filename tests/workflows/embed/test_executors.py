"""Features, and scans that are prepared to learn from, are the same wherever they are made; all slow."""

import json
from pathlib import Path

import pytest
from helpers.everywhere import DASK, call, files, make_brains, ways

pytestmark = pytest.mark.slow
QUICK = ["--spacing", "8"]
LEARN = {
    "train": ["train", "healthy_atlas", "--score", "deviation"],
    "pretrain": ["pretrain", "autoencoder", "--set", "epochs=1", "--set", "batch_size=2"],
}


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    make_brains(folder / "scans", 6)
    return folder


def test_all_executors_leave_the_same_table(scans, tmp_path, variables):
    (tmp_path / "scans").mkdir()
    for name in "ab":
        (tmp_path / "scans" / f"{name}.nii.gz").symlink_to(scans / "scans" / f"{name}.nii.gz")
    (tmp_path / "scans" / "broken.nii.gz").write_bytes(b"no image")
    for way, more in ways(variables).items():
        words = ["embed", "scans", "-o", f"{way}/features.csv", "--features", "volumes,intensity,pca"]
        done = call([*words, "--set", "pca.n_components=1", *QUICK, *more], tmp_path, variables)
        assert done.returncode == 1, done.stderr
    first = files(tmp_path / "here")
    assert {"features.csv", "features.json", "features_pca/mean.nii.gz"} < set(first)
    for way in ways(variables):
        assert files(tmp_path / way) == first, way


def test_a_table_that_lacks_a_scan_is_gone_on_with_where_it_was(scans, tmp_path):
    make_brains(tmp_path / "scans", 2)
    good = (tmp_path / "scans" / "b.nii.gz").read_bytes()
    (tmp_path / "scans" / "b.nii.gz").write_bytes(b"no image")
    words = ["embed", "scans", "-o", "many/features.csv", *QUICK, *DASK]
    assert call(words, tmp_path, {}).returncode == 1
    kept = files(tmp_path / "many" / "prepared")
    told = json.loads(call(["status", "many", "--json"], tmp_path, {}).stdout)
    assert told["counts"] == {"done": 1, "running": 0, "failed": 1, "waiting": 0}
    assert "embed scans -o many/features.csv" in told["commands"][0]
    (tmp_path / "scans" / "b.nii.gz").write_bytes(good)
    again = call([*words, "--force"], tmp_path, {})
    assert again.returncode == 0, again.stderr
    now = files(tmp_path / "many" / "prepared")
    assert len(now) == 2 * len(kept)
    assert {name: now[name] for name in kept} == kept
    assert json.loads(call(["status", "many", "--json"], tmp_path, {}).stdout)["commands"] == []


@pytest.mark.parametrize("verb", LEARN)
def test_what_is_learned_is_the_same_wherever_scans_were_prepared(verb, scans, tmp_path, variables):
    for way, more in ways(variables).items():
        out = tmp_path / way / "out"
        done = call([*LEARN[verb], "--data", "scans", "-o", str(out), *QUICK, *more], scans, variables)
        assert done.returncode == 0, done.stderr
        assert not (tmp_path / way / "prepared" / ".medunsup-run").exists()
    first = files(tmp_path / "here" / "prepared")
    weights = next(path.name for path in (tmp_path / "here" / "out").glob("*.safetensors"))
    for way in ways(variables):
        assert files(tmp_path / way / "prepared") == first, way
        for name in (weights, "scans.tsv"):
            assert (tmp_path / way / "out" / name).read_bytes() == (
                tmp_path / "here" / "out" / name
            ).read_bytes()
