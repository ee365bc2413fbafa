"""The pipeline from unlabelled scans to labels of a new one runs as its first lines say."""

import runpy
import shutil

import pytest
from helpers.healthy_scans import write_person
from helpers.small_scans import place_quickly

PRESET = """
method: context_restoration
spacing_mm: 8.0
parameters: {epochs: 1, batch_size: 4, encoder_parameters: {channels: 2, levels: 2}}
"""


@pytest.mark.slow
def test_pipeline_prints_a_table_and_makes_nothing_twice(
    people, pairs, small_brain, tmp_path, repository, capsys, monkeypatch
):
    place_quickly(monkeypatch)
    (tmp_path / "scans").mkdir()
    for scan in sorted(people.iterdir())[:5]:
        shutil.copy(scan, tmp_path / "scans")
    (tmp_path / "small.yaml").write_text(PRESET)
    new = write_person(tmp_path / "sub-90_T1w.nii.gz", small_brain, 90)
    main = runpy.run_path(str(repository / "pipelines" / "pretrain_then_segment.py"))["main"]
    given = (tmp_path / "scans", pairs, new, tmp_path / "out", str(tmp_path / "small.yaml"), "4")
    main(*given)
    told = capsys.readouterr().out
    for words in ("fine-tuned  0.", "encoder frozen  0.", "from scratch  0.", "n = 3"):
        assert words in told
    assert told.count(" ml\n") == 3
    assert "too few test subjects to tell" in told
    assert (tmp_path / "out" / "bundle" / "models" / "model.ts").exists()
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "network").iterdir()}
    main(*given)
    assert capsys.readouterr().out == told
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "network").iterdir()} == made


def test_every_preset_is_found_by_name(repository):
    read = runpy.run_path(str(repository / "pipelines" / "pretrain_then_segment.py"))["read_preset"]
    assert read("context_restoration")["method"] == "context_restoration"
    assert read(str(repository / "configs" / "pretrain" / "simclr.yaml")) == read("simclr")


def test_pipeline_without_scans_says_how_to_call_it(repository, monkeypatch):
    path = str(repository / "pipelines" / "pretrain_then_segment.py")
    monkeypatch.setattr("sys.argv", [path])
    with pytest.raises(SystemExit, match=r"python pipelines/pretrain_then_segment\.py"):
        runpy.run_path(path, run_name="__main__")
