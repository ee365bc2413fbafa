"""A run that is killed at any point goes on with the same call: nothing is done twice, nothing is lost."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import stand_in_scans
from helpers.stand_in_scans import make_stand_ins, run_stand_ins, times

from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.plan import look
from medunsup.cohort.request import ScanRequest
from medunsup.workflows.status.status import status

TESTS = Path(__file__).parents[2]


def begin(folder: Path, out: Path, name: str, jobs: int, *workers: str) -> subprocess.Popen:
    """Start a run in a process of its own, which can be killed."""
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [sys.executable, "-m", "helpers.stand_in_scans", str(folder), str(out), name, str(jobs), *workers]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL)


def wait_until_done(folder: Path, n: int, process: subprocess.Popen) -> None:
    while times(folder, "done").total() < n and process.poll() is None:
        time.sleep(0.005)


def wait_for_orphans(out: Path) -> None:
    """Wait until no process of a run that was killed writes any more; they leave when they notice it."""
    before = None
    while (now := sorted(out.iterdir())) != before:
        before = now
        time.sleep(0.2)


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("n", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_scans_of_a_run_that_is_killed_at_any_point_are_each_done_once(tmp_path, n):
    scans, out, draw = make_stand_ins(tmp_path / "in", ["ok"] * n), tmp_path / "out", random.Random(n)
    for share in sorted(draw.uniform(0.02, 0.9) for _ in range(3)):
        process = begin(tmp_path / "in", out, "processes", 2)
        wait_until_done(tmp_path / "in", int(n * share), process)
        kill(process)
        wait_for_orphans(out)
        made = len(list(out.glob("*_made.json")))
        assert status(out).counts == {"done": made, "running": 0, "failed": 0, "waiting": n - made}
    outcomes = run_stand_ins(scans, out, Processes(2))
    assert {outcome.status for outcome in outcomes} == {"done", "skipped"}
    assert len(list(out.glob("*_made.json"))) == n
    assert max(times(tmp_path / "in", "done").values()) == 1
    assert not (out / ".medunsup-run").exists()


def test_a_thousand_scans_are_planned_in_two_seconds(tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["ok"] * 1000), tmp_path / "out"
    run_stand_ins(scans[:500], out, Processes())
    requests = [stand_in_scans.StandInRequest(ScanRequest(scan, out=out)) for scan in scans]
    started = time.process_time()  # other programs do not count
    with stand_in_scans.reserved([request.names for request in requests], Processes()):
        planned = look(requests, stand_in_scans.DERIVATIVE, force=False)
    assert time.process_time() - started <= 2
    assert [item.status for item in planned] == ["done"] * 500 + ["new"] * 500


@pytest.mark.parametrize("word", ["fail", "hungry"])
def test_what_failed_is_named_and_done_by_the_same_call_once_it_can_be(tmp_path, word):
    scans, out = make_stand_ins(tmp_path / "in", ["ok", word, "ok"]), tmp_path / "out"
    first = run_stand_ins(scans, out, Processes(2))
    assert [outcome.status for outcome in first] == ["done", "error", "done"]
    (failed,) = [scan for scan in status(out).scans if scan.status == "failed"]
    assert failed.scan == str(scans[1])
    assert failed.why == first[1].error
    scans[1].write_text("ok")
    assert [outcome.status for outcome in run_stand_ins(scans, out, Processes(2))] == [
        "skipped",
        "done",
        "skipped",
    ]
    assert not (out / ".medunsup-run").exists()
