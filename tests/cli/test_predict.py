"""`medunsup predict` from end to end: what it prints, writes and refuses."""

import json

import pytest
from helpers.healthy_scans import write_person
from typer.testing import CliRunner

from medunsup.cli.main import app


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


def run(*words: object):
    return CliRunner().invoke(app, ["predict", *map(str, words)])


def test_volumes_are_printed_and_a_folder_is_skipped_the_second_time(finetuned, small_brain, tmp_path):
    (tmp_path / "scans").mkdir()
    for n in (60, 61):
        write_person(tmp_path / "scans" / f"sub-{n}_T1w.nii.gz", small_brain, n)
    words = (finetuned.path, tmp_path / "scans", "-o", tmp_path / "out")
    done = run(*words)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("not checked by an expert  -> ") == 2
    told = json.loads(run(*words, "--json").stdout)
    assert [scan["status"] for scan in told["scans"]] == ["skipped", "skipped"]
    assert set(told["scans"][0]["volumes_ml"]) == {"label 1", "label 2", "label 3"}
    assert told["group_page"].endswith("predicted_group.html")


def test_wrong_use_ends_in_a_line_with_a_remedy(finetuned, small_brain, tmp_path):
    scan = write_person(tmp_path / "sub-62_FLAIR.nii.gz", small_brain, 62, contrast="FLAIR")
    for words, code, said in [
        ((tmp_path / "nowhere", scan), 2, "Give one that finetune made"),
        ((finetuned.path, tmp_path / "no.nii.gz"), 2, "there is no such file"),
        ((finetuned.path, scan), 1, "if this is one, say so: --contrast T1w"),
    ]:
        done = run(*words, "-o", tmp_path / "out")
        assert done.exit_code == code, done.stderr
        assert said in " ".join(done.stderr.split())
