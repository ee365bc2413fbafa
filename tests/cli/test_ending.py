"""Ctrl-C, a kill and an end from outside, on the real command in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-c", "from medunsup.cli.main import run; run()", "segment"]
# No scan is registered: only how a training ends is looked at.
QUICKLY = (
    "import pytest; from helpers import small_scans; small_scans.place_quickly(pytest.MonkeyPatch()); "
    "from medunsup.cli.main import run; run()"
)


def _start(*words, command=COMMAND):
    return subprocess.Popen(
        [*command, *map(str, words)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for(process, word):
    for line in process.stderr:
        if word in line:
            return
    raise AssertionError(f"never said {word!r}")


def _wait_until_begun(process, jobs):
    """Wait until every worker is about to register its scan: a log has a line only where one is done."""
    while True:
        assert process.poll() is None
        itself = psutil.Process(process.pid)
        working = itself.children() if jobs > 1 else [itself]
        if sum(_has_loaded("SimpleITK", each) for each in working) == jobs:
            return
        time.sleep(0.01)


def _has_loaded(library, process):
    return any(library in used.path for used in process.memory_maps())


def _finished_files(out):
    return [path for path in out.glob("*") if not path.name.startswith(".") and path.is_file()]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_no_half_file_no_lock_and_no_process(make_scan, tmp_path, jobs, sign, code):
    scans = [make_scan("a.nii.gz", seed=1), make_scan("b.nii.gz", seed=2)]
    process = _start(*scans, "-o", tmp_path / "out", "--jobs", jobs)
    _wait_until_begun(process, jobs)
    children = psutil.Process(process.pid).children(recursive=True)
    if sign == signal.SIGINT:
        os.killpg(process.pid, sign)  # a terminal sends Ctrl-C to the whole group
    else:
        process.send_signal(sign)
    _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in told
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} == {".medunsup-run"}  # what `medunsup status` reads
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_a_killed_run_leaves_no_worker_behind_and_the_next_resumes(make_scan, tmp_path):
    scans = [make_scan(f"{name}.nii.gz", seed=n) for n, name in enumerate("abc")]
    out = tmp_path / "out"
    process = _start(*scans, "-o", out, "--jobs", 2)
    _wait_for(process, "[1/3]")
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=30)
    assert not psutil.wait_procs(children, timeout=10)[1]
    complete = sorted(out.glob("*_dseg.json"))
    assert 1 <= len(complete) < 3
    before = {path: path.stat().st_mtime_ns for path in complete}
    again = _start(*scans, "-o", out, "--jobs", 2)
    told, _ = again.communicate(timeout=200)
    assert again.returncode == 0
    assert told.count("done already") == len(complete)
    assert {path: path.stat().st_mtime_ns for path in complete} == before
    assert len(list(out.glob("*_dseg.json"))) == 3
    assert not [path for path in out.iterdir() if path.name.startswith(".medunsup")]


def test_a_second_run_on_the_same_folder_is_told_to_wait(make_scan, tmp_path):
    first = _start(make_scan("a.nii.gz"), "-o", tmp_path / "out")
    _wait_for(first, "brain mask")
    second = _start(make_scan("b.nii.gz"), "-o", tmp_path / "out", "--quiet")
    _, told = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"process {first.pid}" in told
    assert len(told.strip().splitlines()) == 1
    first.communicate(timeout=200)
    assert first.returncode == 0
    assert {path.name[0] for path in _finished_files(tmp_path / "out") if "dseg.nii" in path.name} == {"a"}


@pytest.mark.parametrize("phase", ["preparing scans", "epoch 2", "synthetic lesion test"])
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_training_says_in_one_line_what_is_kept(
    make_scan, tmp_path, monkeypatch, phase, sign, code
):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    for n in range(7):
        make_scan(f"scans/sub-{n}_T1w.nii.gz", seed=n)
    words = ["ae", "--data", tmp_path / "scans", "-o", tmp_path / "ae", "--spacing", "8"]
    parameters = [word for each in ("epochs=400", "channels=4") for word in ("--set", each)]
    if phase == "synthetic lesion test":
        parameters[1] = "epochs=1"
    process = _start(*words, *parameters, command=[sys.executable, "-c", QUICKLY, "train"])
    _wait_for(process, phase)
    process.send_signal(sign)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "Traceback" not in told
    (said,) = [line for line in told.splitlines() if line.startswith("medunsup: ")]
    assert "go on with --resume" in said
    assert said.startswith("medunsup: Stopped after batch") == (phase == "epoch 2")
