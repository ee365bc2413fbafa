"""The pipeline from scans to clusters, and words for a number of clusters."""

import runpy
import shutil

import pytest
from helpers.healthy_scans import SPACING_MM

from medunsup.core.errors import UsageError
from medunsup.workflows.cluster.settings import ClusterSettings


@pytest.fixture(scope="module")
def repository(request):
    """The folder that holds pipelines and presets."""
    return request.config.rootpath


def test_auto_may_be_said_and_a_number_below_one_may_not():
    assert ClusterSettings.parse({"k": "auto"}, "x").k == "auto"
    assert ClusterSettings.parse({"k": 3}, "x").k == 3
    for wrong in (0, "many"):
        with pytest.raises(UsageError, match="k"):
            ClusterSettings.parse({"k": wrong}, "x")


@pytest.mark.usefixtures("quick_registration")
def test_scans_become_clusters_and_features_are_taken_once(repository, few, tmp_path, capsys):
    scans = tmp_path / "scans"
    scans.mkdir()
    for scan in sorted(few.iterdir())[:4]:
        shutil.copy(scan, scans)
    mine = tmp_path / "mine.yaml"
    mine.write_text("method: kmeans\nk: 2\nseeds: 1\numap: false\n")
    main = runpy.run_path(str(repository / "pipelines" / "cluster_cohort.py"))["main"]
    how = {"features": ["intensity"], "spacing_mm": SPACING_MM}
    found = main(scans, tmp_path / "out", "-", str(mine), **how)
    said = capsys.readouterr().out
    assert said.startswith(found.verdict)
    assert len(found.labels) == 4
    assert (tmp_path / "out" / "clusters" / "report.html").exists()
    stamp = (tmp_path / "out" / "features.csv").stat().st_mtime_ns
    main(scans, tmp_path / "out", "-", str(mine), **how)
    assert (tmp_path / "out" / "features.csv").stat().st_mtime_ns == stamp


def test_without_words_it_says_how_it_is_called(repository, monkeypatch):
    path = str(repository / "pipelines" / "cluster_cohort.py")
    monkeypatch.setattr("sys.argv", [path])
    with pytest.raises(SystemExit, match=r"python pipelines/cluster_cohort\.py"):
        runpy.run_path(path, run_name="__main__")
