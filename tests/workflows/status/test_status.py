"""`medunsup status`: what is done, running, failed and waiting, why, and a command that really goes on."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.stand_in_scans import make_stand_ins, run_stand_ins
from typer.testing import CliRunner

from medunsup.cli.main import app
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.executors.slurm import places, queue
from medunsup.cohort.runs.record import PlannedFile, RunRecord
from medunsup.core.errors import MissingError
from medunsup.workflows.segment.cohort import segment_many
from medunsup.workflows.status.status import status

QUICK = {"method": "kmeans", "parameters": {"max_voxels": 1000}, "report": False}


def test_a_run_that_is_at_work_is_seen_from_outside(tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["ok", "slow 2"]), tmp_path / "out"
    run = threading.Thread(target=run_stand_ins, args=(scans, out, Processes()))
    run.start()
    states, told = {}, None
    while states.get(str(scans[1])) != "running" and run.is_alive():
        told = status(out) if out.is_dir() else None
        states = {scan.scan: scan.status for scan in told.scans} if told else {}
    assert states == {str(scans[0]): "done", str(scans[1]): "running"}
    assert any("A run is at work" in note for note in told.notes)
    run.join()
    assert status(out).counts["running"] == 0


def test_of_a_folder_without_results_the_remedy_is_told(tmp_path):
    done = CliRunner().invoke(app, ["status", str(tmp_path)])
    assert done.exit_code == 0
    assert "0 done" in done.output
    assert "No run has left anything here" in done.output
    with pytest.raises(MissingError):
        status(tmp_path / "gone")


@pytest.mark.usefixtures("quick_registration")
def test_results_of_runs_that_left_nothing_to_do_are_counted_as_done(make_scan, tmp_path):
    out = tmp_path / "out"
    segment_many([make_scan("a.nii.gz"), make_scan("sub-01_T1w.nii.gz", seed=1)], out, **QUICK)
    told = status(out)
    assert told.counts == {"done": 2, "running": 0, "failed": 0, "waiting": 0}
    assert [scan.scan for scan in told.scans] == ["a.nii.gz", "sub-01/anat/sub-01_T1w.nii.gz"]
    assert told.commands == ()


@pytest.mark.usefixtures("quick_registration")
def test_what_a_later_run_did_no_longer_counts_as_failed(make_scan, tmp_path):
    out, scan = tmp_path / "out", make_scan("a.nii.gz")
    broken = tmp_path / "b.nii.gz"
    broken.write_bytes(b"no image")
    segment_many([scan, broken], out, **QUICK)
    assert status(out).counts["failed"] == 1
    make_scan("b.nii.gz", seed=1)
    segment_many([broken], out, **QUICK)
    assert status(out).counts == {"done": 2, "running": 0, "failed": 0, "waiting": 0}
    assert not (out / ".medunsup-run").exists()


def test_scans_that_other_runs_failed_with_are_kept_until_they_are_done(tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["ok", "fail", "fail", "ok"]), tmp_path / "out"
    run_stand_ins(scans[:2], out, Processes())
    run_stand_ins(scans[2:], out, Processes())
    assert [scan.status for scan in status(out).scans] == ["done", "failed", "failed", "done"]
    for scan in scans:
        scan.write_text("ok")
    run_stand_ins(scans[1:3], out, Processes())
    assert not (out / ".medunsup-run").exists()


def test_results_that_were_to_be_replaced_wait_until_they_are(tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["ok", "ok"]), tmp_path / "out"
    run_stand_ins(scans, out, Processes())
    scans[1].write_text("fail")
    run_stand_ins(scans, out, Processes(), force=True)
    assert [scan.status for scan in status(out).scans] == ["done", "failed"]


NO_PROCESS = """{"version": 1, "executor": "dask", "force": false, "command": null, "folder": "/",
"process": {}, "scans": [{"scan": "a.nii", "record": "a.json"}]}"""


@pytest.mark.parametrize("broken", ["", "{", '{"version": 99}', "[]", "\0", NO_PROCESS])
def test_a_plan_that_cannot_be_read_is_passed_over(tmp_path, broken):
    scans, out = make_stand_ins(tmp_path / "in", ["ok", "fail"]), tmp_path / "out"
    run_stand_ins(scans, out, Processes())
    (out / ".medunsup-run" / "00000000000000000001.json").write_text(broken)
    assert status(out).counts["failed"] == 1
    (plan,) = [path for path in (out / ".medunsup-run").glob("*.json") if path.stem.strip("0") != "1"]
    with plan.with_suffix(".log").open("a") as log:
        log.write('{"scan": "half a li')
    assert status(out).counts["failed"] == 1


@pytest.mark.slow
def test_the_command_that_goes_on_does_so_from_anywhere(make_scan, tmp_path):
    home = tmp_path / 'it\'s "my" $HOME'
    good, broken = make_scan(f"{home.name}/a b.nii.gz"), home / "c;d.nii.gz"
    broken.write_bytes(b"no image")
    words = ["segment", good.name, broken.name, "-o", "out put", "--method", "kmeans", "--no-report"]
    assert medunsup(words, home).returncode == 1
    told = json.loads(medunsup(["status", "out put", "--json"], home).stdout)
    assert told["counts"] == {"done": 1, "running": 0, "failed": 1, "waiting": 0}
    (command,) = told["commands"]
    make_scan(f"{home.name}/c;d.nii.gz", seed=1)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    again = subprocess.run(["bash", "-c", command], cwd="/", env={**os.environ, "PATH": path}, check=False)
    assert again.returncode == 0
    lines = medunsup(["status", "out put"], home).stdout.splitlines()
    assert lines == ["2 done, 0 running, 0 failed, 0 waiting"]


def medunsup(words: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "medunsup", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_scan_in_a_job_is_running_whatever_blanks_its_name_has(tmp_path, monkeypatch):
    scan = str(tmp_path / "two  blanks.nii.gz")
    record = RunRecord(tmp_path, [PlannedFile(scan=scan, record="x.json")], executor="slurm", force=False)
    folder = places.new_folder(tmp_path)
    folder.mkdir(parents=True)
    (folder / "0.said").write_text(places.one_line(scan) + "\n")
    monkeypatch.setattr(queue, "jobs_of", lambda _: {0: queue.Job("RUNNING")})
    assert status(tmp_path).counts["running"] == 1
    record.log.close()
