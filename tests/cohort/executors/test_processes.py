"""Several processes: all items are done, words come back, one death costs one item."""

import os
import signal
from multiprocessing import active_children
from multiprocessing.process import BaseProcess

import psutil
import pytest

from medunsup.cohort.executors import processes
from medunsup.cohort.executors.processes import THREAD_VARIABLES, run_all, thread_limit

WORKER_CODE = """
import os, signal, time
def square(item, say):
    say(f"at {item}")
    return item * item
def die_at_two(item, say):
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item
def threads(item, say):
    return os.environ.get("OMP_NUM_THREADS")
def ignore(item, say):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleep(item, say)
def end_late(item, say):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("begun")
    time.sleep(0.5)
def sleep(item, say):
    say(str(os.getpid()))
    time.sleep(60)
    open(f"waited_for_{os.getpid()}", "x").close()
"""


def _import_tasks(tmp_path, monkeypatch):
    """Spawned processes import tasks by name: give them a module on the path."""
    (tmp_path / "worker_tasks.py").write_text(WORKER_CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    import worker_tasks

    return worker_tasks


def test_every_item_comes_back_once_with_what_was_said(tmp_path, monkeypatch):
    tasks, said = _import_tasks(tmp_path, monkeypatch), []
    results = dict(run_all(tasks.square, [3, 4, 5], 2, lambda index, text: said.append((index, text))))
    assert results == {0: 9, 1: 16, 2: 25}
    assert sorted(said) == [(0, "at 3"), (1, "at 4"), (2, "at 5")]


def test_a_process_that_is_killed_takes_only_its_own_item(tmp_path, monkeypatch):
    tasks = _import_tasks(tmp_path, monkeypatch)
    results = dict(run_all(tasks.die_at_two, [1, 2, 3, 4], 2, lambda *_: None))
    assert results == {0: 1, 1: None, 2: 3, 3: 4}


def test_a_process_that_dies_before_it_gets_work_takes_only_its_first_item(tmp_path, monkeypatch):
    tasks, started = _import_tasks(tmp_path, monkeypatch), []

    class Stillborn(processes._Worker):
        def _start(self):
            super()._start()
            if not started:
                started.append(self.process)
                self.process.kill()
                self.process.join()

    monkeypatch.setattr(processes, "_Worker", Stillborn)
    assert dict(run_all(tasks.square, [1, 2, 3], 1, lambda *_: None)) == {0: None, 1: 4, 2: 9}


def test_distributed_share_the_cores_and_the_parent_keeps_its_own_settings(tmp_path, monkeypatch):
    tasks = _import_tasks(tmp_path, monkeypatch)
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    results = dict(run_all(tasks.threads, [0], 2, lambda *_: None))
    assert results[0] == str(max(1, (os.cpu_count() or 1) // 2))
    assert not set(THREAD_VARIABLES) & set(os.environ)


def test_a_thread_count_the_user_set_is_kept(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with thread_limit(4):
        assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_giving_up_ends_the_processes(tmp_path, monkeypatch):
    tasks, said = _import_tasks(tmp_path, monkeypatch), []

    def stop(index, text):
        said.append(int(text))
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        list(run_all(tasks.sleep, [0, 1], 2, stop))
    assert not list(tmp_path.glob("waited_for_*"))
    for pid in said:
        try:
            os.kill(pid, signal.SIG_DFL)
        except ProcessLookupError:
            continue
        raise AssertionError(f"process {pid} is still alive")


def test_processes_that_do_not_listen_are_waited_for_together(tmp_path, monkeypatch):
    tasks, said, now = _import_tasks(tmp_path, monkeypatch), [], [0.0]

    def stop(index, text):
        said.append(int(text))
        if len(said) == 3:
            raise KeyboardInterrupt

    def wait(process, seconds):
        now[0] += seconds

    with monkeypatch.context() as patch:
        patch.setattr(processes, "monotonic", lambda: now[0])
        patch.setattr(BaseProcess, "join", wait)
        with pytest.raises(KeyboardInterrupt):
            list(run_all(tasks.ignore, [0, 1, 2], 3, stop))
    assert now == [processes.GRACE_S]
    for child in active_children():
        child.join()
    assert not [pid for pid in said if psutil.pid_exists(pid)]


def test_process_whose_result_nobody_wants_any_more_leaves_without_a_word(tmp_path, monkeypatch, capfd):
    tasks = _import_tasks(tmp_path, monkeypatch)

    def stop(index, text):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_all(tasks.end_late, [0], 1, stop))
    assert not capfd.readouterr().err
