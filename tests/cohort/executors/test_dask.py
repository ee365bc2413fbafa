"""Dask, on a real scheduler with workers in processes: what goes wrong is told, and the same call goes on."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from helpers import executor_tasks as tasks
from helpers.stand_in_scans import make_stand_ins, run_stand_ins, times

from medunsup.cohort.executors import dask_checks, dask_workers
from medunsup.cohort.executors.base import Work
from medunsup.cohort.executors.dask_workers import Dask
from medunsup.core.errors import DependencyError, OutputError
from medunsup.workflows.status.status import status

TESTS = Path(__file__).parents[2]


def work(task, items, folder):
    return Work(task, items, [f"item {n}" for n in range(len(items))], folder)


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a program of Dask's by its words; all are ended afterwards, with what they started."""
    begun: list[subprocess.Popen] = []
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(*words: str) -> subprocess.Popen:
        with (tmp_path / f"dask{len(begun)}.log").open("wb") as log:
            command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
            environment = {**os.environ, "PYTHONPATH": paths}
            begun.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path))
        return begun[-1]

    yield run
    for process in begun:
        end(process)


def end(process: subprocess.Popen) -> None:
    """Kill a process and all that it started."""
    with_children = [process]
    if psutil.pid_exists(process.pid) and process.poll() is None:
        with_children += psutil.Process(process.pid).children(recursive=True)
    for each in with_children:
        try:
            each.kill()
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    process.wait()


@pytest.fixture
def address(start, tmp_path) -> str:
    """A scheduler without workers."""
    start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    return "tcp://" + word_of(tmp_path / "dask0.log", r"tcp://(127.0.0.1:\d+)")


def word_of(log: Path, pattern: str) -> str:
    ends = time.monotonic() + 30
    while not (found := re.search(pattern, log.read_text(errors="replace"))):
        assert time.monotonic() < ends, log.read_text()
        time.sleep(0.05)
    return found[1]


def start_worker(start, address, tmp_path, *more: str) -> subprocess.Popen:
    process = start("dask_worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", *more)
    n = len(list(tmp_path.glob("dask*.log"))) - 1
    word_of(tmp_path / f"dask{n}.log", r"(Registered to)")
    return process


def begin(folder: Path, out: Path, address: str) -> subprocess.Popen:
    """Start a run in a process of its own, which can be killed."""
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [sys.executable, "-m", "helpers.stand_in_scans", str(folder), str(out), "dask", "2", address]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL)


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_libraries_take_the_threads_of_the_worker(start, address, tmp_path):
    start_worker(start, address, tmp_path)
    results = dict(Dask(address).run(work(tasks.threads, [0], tmp_path), lambda *_: None))
    assert results == {0: ("1", 1, 1)}


def test_paths_are_from_the_folder_of_the_command_wherever_the_worker_started(
    start, address, tmp_path, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    start_worker(start, address, tmp_path)
    make_stand_ins(tmp_path / "elsewhere" / "in", ["ok"])
    monkeypatch.chdir(tmp_path / "elsewhere")
    outcomes = run_stand_ins([Path("in/scan0000.nii")], Path("out"), Dask(address))
    assert [outcome.status for outcome in outcomes] == ["done"]
    assert Path("out/scan0000_made.json").is_file()


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_scan(start, address, tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["slow 0.3"] * 8), tmp_path / "out"
    first = start_worker(start, address, tmp_path, "--no-nanny")
    start_worker(start, address, tmp_path, "--no-nanny")
    process = begin(tmp_path / "in", out, address)
    wait_until(lambda: times(tmp_path / "in", "done").total() >= 2)
    end(first)
    assert process.wait(60) == 0
    done = times(tmp_path / "in", "done")
    assert len(done) == len(scans)
    assert done.total() <= len(scans) + 1  # the one that was in the worker's hands is done again
    assert len(list(out.glob("*_made.json"))) == len(scans)


@pytest.mark.slow
def test_a_scan_that_kills_every_worker_is_named_with_the_reason(start, address, tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["ok", "killed", "ok"]), tmp_path / "out"
    start_worker(start, address, tmp_path)
    outcomes = run_stand_ins(scans, out, Dask(address))
    assert [outcome.status for outcome in outcomes] == ["done", "error", "done"]
    assert "perhaps for lack of memory" in outcomes[1].error
    assert set(times(tmp_path / "in", "done").values()) == {1}


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_named_and_the_same_call_goes_on(start, address, tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["ok", "slow 20", "ok"]), tmp_path / "out"
    worker = start_worker(start, address, tmp_path)
    process = begin(tmp_path / "in", out, address)
    wait_until(lambda: times(tmp_path / "in", "begun").total() >= 2)
    scheduler = next(p for p in psutil.process_iter(["cmdline"]) if is_scheduler(p, address))
    scheduler.kill()
    assert process.wait(60) == 0
    told = status(out)
    assert told.counts == {"done": 1, "running": 0, "failed": 2, "waiting": 0}
    assert all("is gone" in scan.why for scan in told.scans if scan.status == "failed")
    end(worker)
    scans[1].write_text("ok")
    outcomes = run_stand_ins(scans, out, Dask(jobs=1))
    assert [outcome.status for outcome in outcomes] == ["skipped", "done", "done"]


def is_scheduler(process: psutil.Process, address: str) -> bool:
    try:
        ports = {str(one.laddr.port) for one in process.net_connections() if one.status == "LISTEN"}
    except psutil.Error:
        return False
    return address.rsplit(":", 1)[1] in ports


@pytest.mark.slow
def test_what_a_killed_run_left_at_work_is_waited_for_and_done_once(start, address, tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["slow 2"] * 3), tmp_path / "out"
    start_worker(start, address, tmp_path)
    process = begin(tmp_path / "in", out, address)
    wait_until(lambda: times(tmp_path / "in", "begun").total() == 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    outcomes = run_stand_ins(scans, out, Dask(address))
    assert [outcome.status for outcome in outcomes] == ["skipped", "done", "done"]
    assert set(times(tmp_path / "in", "begun").values()) == {1}


def test_an_address_where_no_scheduler_is_is_told(monkeypatch):
    monkeypatch.setattr(dask_workers, "CONNECT_S", 0.5)
    with pytest.raises(OutputError, match="no Dask scheduler answers"):
        Dask("tcp://127.0.0.1:1").prepare([])
    with pytest.raises(OutputError, match="no Dask scheduler answers"):
        Dask("nonsense://here").prepare([])


def test_a_scheduler_without_workers_is_told(address):
    with pytest.raises(OutputError, match="has no workers"):
        Dask(address).prepare([])


def test_workers_that_do_not_see_the_folder_are_told(start, address, tmp_path):
    start_worker(start, address, tmp_path)
    with pytest.raises(OutputError, match="is not seen by 1 of 1 workers"):
        Dask(address).prepare([tmp_path])  # no run has locked it: it is another folder of that name


def test_another_version_is_refused(start, address, tmp_path, monkeypatch):
    start_worker(start, address, tmp_path)
    from distributed import versions

    plain = versions.get_versions

    def older():
        found = plain()
        return {**found, "packages": {**found["packages"], "distributed": "2024.1.0"}}

    with monkeypatch.context() as patch:
        patch.setattr(versions, "get_versions", older)
        with pytest.raises(DependencyError, match=r"the scheduler runs distributed \S+, and .* 2024"):
            Dask(address).prepare([])
    monkeypatch.setattr(dask_checks, "__version__", "0.0.1")
    with pytest.raises(DependencyError, match=r"has medunsup \S+, and this process 0\.0\.1"):
        Dask(address).prepare([])


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DependencyError, match=r"medunsup\[dask\]"):
        Dask().prepare([])


def test_a_file_that_a_worker_lacks_costs_its_own_item_alone(tmp_path, monkeypatch):
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    found = dict(Dask(jobs=1).run(work(tasks.lack_a_file_at_zero, [0, 1], tmp_path), lambda *_: None))
    assert "FileNotFoundError: no library" in found[0].why
    assert found[1] == 1
