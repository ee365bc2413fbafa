"""The pipeline for anomalies runs as its first lines say."""

import re
import runpy

import pytest
from helpers.small_scans import place_quickly


@pytest.mark.slow
def test_pipeline_finds_the_spot_and_keeps_the_model(
    people, patient, tmp_path, repository, capsys, monkeypatch
):
    place_quickly(monkeypatch)
    main = runpy.run_path(str(repository / "pipelines" / "detect_from_healthy.py"))["main"]
    main(people, patient, tmp_path, "healthy_atlas")
    first = capsys.readouterr().out
    told = re.search(r"p = ([\d.]+) among (\d+) healthy scans", first)
    assert told, first
    assert float(told[1]) == pytest.approx(1 / (int(told[2]) + 1), abs=1e-3)  # the least there can be
    assert " ml  " in first
    main(people, patient, tmp_path)
    assert capsys.readouterr().out == first


def test_pipeline_without_a_scan_says_how_to_call_it(repository, monkeypatch):
    path = str(repository / "pipelines" / "detect_from_healthy.py")
    monkeypatch.setattr("sys.argv", [path])
    with pytest.raises(SystemExit, match=r"python pipelines/detect_from_healthy\.py"):
        runpy.run_path(path, run_name="__main__")
