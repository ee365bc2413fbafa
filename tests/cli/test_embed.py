"""`medunsup embed`: what it prints, and how it ends."""

import json

import pytest
from helpers.healthy_scans import SPACING_MM
from typer.testing import CliRunner

from medunsup.cli.main import app

WORDS = ["--features", "intensity", "--spacing", str(SPACING_MM), "--set", "intensity.bins=4"]


@pytest.mark.usefixtures("quick_registration")
def test_a_table_is_written_and_told_as_json(few, tmp_path):
    out = tmp_path / "features.csv"
    done = CliRunner().invoke(app, ["embed", str(few), "-o", str(out), *WORDS, "--json", "-q"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["rows"] == len(out.read_text().splitlines()) - 1 == 8
    assert told["features"] == [f"intensity/bin{n:03d}" for n in range(1, 5)]
    assert CliRunner().invoke(app, ["embed", str(few), "-o", str(out), *WORDS]).exit_code == 2


@pytest.mark.usefixtures("quick_registration")
def test_a_scan_without_a_row_is_named_and_the_exit_code_is_one(few, tmp_path):
    (few / "sub-99_T1w.nii.gz").write_bytes(b"no image")
    done = CliRunner().invoke(app, ["embed", str(few), "-o", str(tmp_path / "features.csv"), *WORDS])
    assert done.exit_code == 1
    assert "8 rows, 4 features" in done.output
    assert "no row: sub-99_T1w.nii.gz" in done.output


def test_several_paths_are_refused_with_what_to_give_instead(few, tmp_path):
    scans = sorted(map(str, few.glob("*.nii.gz")))
    done = CliRunner().invoke(app, ["embed", *scans, "-o", str(tmp_path / "features.csv"), *WORDS])
    assert done.exit_code == 2
    assert "give the one folder that holds the scans, or a table" in " ".join(done.output.split())
    assert not list(tmp_path.glob("features*"))
