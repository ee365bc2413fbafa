"""methods, doctor, demo, bids."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.registry import method


def _run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_help_lists_every_verb_under_a_heading():
    entries = [*app.registered_commands, *app.registered_groups]
    assert all(entry.rich_help_panel for entry in entries)
    assert "─ Commands ─" not in _run("--help").stdout


def test_version_is_told():
    assert _run("--version").stdout.strip() == f"medunsup {medunsup.__version__}"


def test_the_module_runs_as_the_command_does():
    told = subprocess.run(
        [sys.executable, "-m", "medunsup", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == f"medunsup {medunsup.__version__}"


@pytest.mark.parametrize("verb", ["train", "evaluate", "detect", "segment", "bids", "pretrain"])
def test_only_the_width_of_the_terminal_breaks_a_sentence_of_the_help(verb):
    told = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"})
    words = told.stdout.split("╭")[0].splitlines()[2:]
    assert all(line.strip().endswith(".") for line in words if line.strip())


def test_every_method_is_listed_with_its_paper_and_limit():
    told = json.loads(_run("methods", "--json").stdout)
    assert {"gmm", "kmeans"} <= {method["name"] for method in told["methods"]}
    assert all(method["paper"] and method["limit"] for method in told["methods"])
    text = _run("methods", "tissue").stdout
    assert all(method["name"] in text for method in told["methods"] if method["area"] == "tissue")


def test_one_method_is_shown_with_every_parameter_its_config_takes():
    told = json.loads(_run("methods", "zscore", "--json").stdout)["methods"]
    parameters = {one["name"]: one for one in told[0]["parameters"]}
    assert list(parameters) == list(method("score", "zscore").Config.model_fields)
    assert all(one["description"] and one["default"] for one in parameters.values())
    text = _run("methods", "zscore").stdout
    assert all(one["description"] in text and one["kind"] in text for one in parameters.values())


def test_a_misspelt_method_is_answered_with_the_nearest():
    done = _run("methods", "zscor")
    assert done.exit_code == 2
    assert "zscore" in done.stderr


def test_an_unknown_area_ends_in_2():
    done = _run("methods", "bones")
    assert done.exit_code == 2
    assert "tissue" in done.stderr


def test_the_doctor_finds_this_computer_well(tmp_path):
    done = _run("doctor", "-o", tmp_path, "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.exit_code == 0
    assert checks["template"]["state"] == "ok"
    assert all(check["advice"] for check in checks.values() if check["state"] != "ok")


def test_the_doctor_says_what_to_do_about_what_is_missing(tmp_path, monkeypatch):
    from medunsup.workflows import doctor

    monkeypatch.setattr(doctor, "_version", lambda package: None if package == "nibabel" else "1.0")
    done = _run("doctor", "-o", tmp_path)
    assert done.exit_code == 1
    assert "pip install nibabel" in done.stdout


def test_the_doctor_sees_a_folder_that_cannot_be_written(tmp_path):
    from medunsup.workflows.doctor import examine

    (tmp_path / "file").write_text("")
    states = {finding.name: finding.state for finding in examine(tmp_path / "file" / "out")}
    assert states["write access"] == "missing"


def test_the_doctor_warns_of_little_memory_and_disk(tmp_path, monkeypatch):
    from types import SimpleNamespace

    import psutil

    from medunsup.workflows.doctor import examine

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2**29))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    findings = {finding.name: finding for finding in examine(tmp_path)}
    assert findings["memory"].state == findings["disk"].state == "advice"


@pytest.mark.slow
def test_the_demo_runs_offline_and_says_where_to_look(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = _run("demo")
    assert done.exit_code == 0
    page = tmp_path / "medunsup-demo" / "MNI152_T1w_report.html"
    assert page.exists()
    assert page.name in done.stderr
    assert "larger than most people" in page.read_text()
    again = _run("demo", "--json")
    assert json.loads(again.stdout)["scans"][0]["status"] == "skipped"


@pytest.mark.usefixtures("quick_registration")
def test_labels_that_may_belong_to_either_option_are_not_guessed_at(tmp_path):
    done = _run("bids", tmp_path, tmp_path / "out", "participant", "--session-label", "1", "2")
    assert done.exit_code == 2
    assert "repeat the option" in done.stderr


@pytest.mark.slow
def test_a_bids_data_set_is_segmented_the_bids_app_way(make_scan, tmp_path):
    for name in ("01", "02", "03"):
        make_scan(f"raw/sub-{name}/anat/sub-{name}_T1w.nii.gz")
    make_scan("raw/sub-01/anat/sub-01_T2w.nii.gz", contrast="T2w")
    raw, out = tmp_path / "raw", tmp_path / "out"
    assert _run("bids", raw, out, "participant").exit_code == 2
    (raw / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    words = ["--method", "kmeans", "--set", "max_voxels=1000", "--no-report", "--json"]
    done = _run("bids", raw, out, "participant", "--participant_label", "01", "03", *words)
    assert done.exit_code == 0, done.output
    assert [scan["status"] for scan in json.loads(done.stdout)["scans"]] == ["done", "done"]
    assert sorted(path.parent.parent.name for path in out.rglob("*_dseg.nii.gz")) == ["sub-01", "sub-03"]
    assert "sub-09" in _run("bids", raw, out, "participant", "--participant-label", "09").stderr
    otherwise = _run("bids", raw, out, "participant", "--method", "gmm")
    assert "OUTPUT_DIR, or pass --force" in otherwise.stderr
    assert "-o" not in otherwise.stderr.split()
    assert _run("bids", raw, out, "group").exit_code == 0
    assert (out / "volumes.tsv").exists()


@pytest.mark.slow
def test_the_demo_finds_its_synthetic_lesion(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = _run("demo", "detect")
    assert done.exit_code == 0, done.output
    page = tmp_path / "medunsup-demo" / "MNI152lesion_T1w_desc-anomaly_report.html"
    assert page.exists()
    assert page.name in done.stderr
    share, elsewhere = re.search(r"Marked of it: (\d+)%; findings elsewhere: (\d+)", done.stderr).groups()
    assert int(share) > 30
    assert int(elsewhere) == 0
    first_screen = page.read_text().partition('class="verdict')[0]
    assert "This is a demo" in first_screen
    assert "x, y, z = 26, −20, 32 mm" in first_screen
    made = page.with_name("MNI152lesion_T1w_desc-anomaly_mask.json")
    assert json.loads(made.read_text())["Note"] in first_screen
    assert json.loads(_run("demo", "detect", "--json").stdout)["scans"][0]["status"] == "skipped"
