"""`--dry-run` says of each scan what the run then does, ends as the run does, and writes nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.classified import classified_images
from helpers.healthy_scans import write_person
from typer.testing import CliRunner

from medunsup.cli.main import app

THEN = {"new": "done", "done": "skipped", "error": "error"}


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


@pytest.fixture
def scans(small_brain, tmp_path) -> Path:
    """Two scans and a file that is none, in a folder."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for n in (60, 61):
        write_person(folder / f"sub-{n}_T1w.nii.gz", small_brain, n)
    (folder / "sub-62_T1w.nii.gz").write_bytes(b"no image")
    return folder


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("verb", ["detect", "predict"])
def test_it_says_what_the_run_does(verb, trained, finetuned, scans, tmp_path):
    begin = ["detect", "--model", trained.path] if verb == "detect" else ["predict", finetuned.path]
    out = tmp_path / "out"
    assert run(*begin, scans / "sub-60_T1w.nii.gz", "-o", out, "-q").exit_code == 0
    before = files(tmp_path)
    dry = run(*begin, scans, "-o", out, "--dry-run", "--json")
    foreseen = json.loads(dry.stdout)
    assert files(tmp_path) == before
    assert [scan["status"] for scan in foreseen["scans"]] == ["done", "new", "error"]
    assert "it looks like text" in foreseen["scans"][2]["why"]
    done = run(*begin, scans, "-o", out, "--json")
    made = json.loads(done.stdout)["scans"]
    assert [THEN[scan["status"]] for scan in foreseen["scans"]] == [scan["status"] for scan in made]
    assert dry.exit_code == done.exit_code == 1
    assert Path(foreseen["scans"][1]["output"]).is_file()
    other = ["--alpha", "0.3"] if verb == "detect" else ["--probabilities"]
    assert run(*begin, scans, "-o", out, *other, "--dry-run").exit_code == 2


def test_of_a_table_it_says_which_rows_are_kept(scans, tmp_path):
    words = ["embed", scans, "-o", tmp_path / "f.csv", "--features", "intensity", "--spacing", "8"]
    before = files(tmp_path)
    plain = run(*words, "--dry-run", "--executor", "slurm", "--time", "7")
    assert files(tmp_path) == before
    assert (plain.exit_code, plain.stdout.count(": to do"), plain.stdout.count(": will fail:")) == (1, 2, 1)
    assert "# 2 scans in 2 jobs" in plain.stdout
    assert "#SBATCH --time=7" in plain.stdout
    assert "2 to do, 1 will fail; nothing was written." in plain.stderr
    assert run(*words).exit_code == 1
    other = ["embed", scans, "-o", tmp_path / "g.csv", *words[4:]]
    again = json.loads(run(*other, "--dry-run", "--json", "--executor", "slurm").stdout)
    assert [scan["status"] for scan in again["scans"]] == ["done", "done", "error"]
    assert "script" not in again
    assert run(*words, "--dry-run").exit_code == 2  # the table is there


def test_images_that_a_network_does_not_know_are_refused(tmp_path):
    network, path = classified_images(tmp_path).path, tmp_path / "others.npz"
    np.savez(path, images=np.zeros((2, 5, 7), np.uint8))
    dry, done = (run("predict", network, path, "-o", tmp_path / "out", *more) for more in (["--dry-run"], []))
    assert dry.exit_code == done.exit_code == 1
    assert "was fine-tuned on images of" in dry.stdout
    assert not (tmp_path / "out").exists()
