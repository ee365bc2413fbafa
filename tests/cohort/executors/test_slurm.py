"""Slurm, on a real one of this machine: what ends a job is told with the remedy; the same call goes on."""

import os
import shutil
import subprocess
import threading
import time
from shutil import which

import pytest
from helpers import executor_tasks as tasks
from helpers.stand_in_scans import make_stand_ins, run_stand_ins, times

from medunsup.cohort.executors.base import Lost, Work
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.executors.slurm import executor, places, queue, script
from medunsup.cohort.executors.slurm.executor import Slurm, wait_for_left
from medunsup.cohort.executors.slurm.script import MOST_JOBS, array_script, parts
from medunsup.cohort.executors.slurm.settings import SlurmSettings
from medunsup.core.errors import DependencyError, MedunsupError, OutputError, UsageError
from medunsup.workflows.status.status import status


def work(task, items, folder):
    return Work(task, items, [f"item {n}" for n in range(len(items))], folder)


def call(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def wait_for(is_so, seconds=30):
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_libraries_take_the_cores_of_the_job_not_of_the_machine(make_slurm, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    for cpus in {1, os.cpu_count()}:
        results = dict(make_slurm(cpus=cpus).run(work(tasks.threads, [0], tmp_path), lambda *_: None))
        assert results[0] == (str(cpus), cpus, cpus)


def test_folders_with_blanks_and_signs_are_no_trouble(make_slurm, tmp_path):
    folder = tmp_path / "100% of 'my' \"scans\" $HOME"
    folder.mkdir()
    assert dict(make_slurm().run(work(tasks.square, [3], folder), lambda *_: None)) == {0: 9}


def test_what_ended_a_job_is_named_and_the_same_call_does_what_is_left(make_slurm, tmp_path):
    words = ["ok", "hungry", "fail", "ok"]
    scans, out = make_stand_ins(tmp_path / "in", words), tmp_path / "out"
    first = run_stand_ins(scans, out, make_slurm(mem="300M"))
    assert [outcome.status for outcome in first] == ["done", "error", "error", "done"]
    assert first[1].error.startswith(str(scans[1]))
    assert "killed, perhaps for lack of memory of 300M" in first[1].error
    assert "on purpose" in first[2].error
    assert status(out).counts == {"done": 2, "running": 0, "failed": 2, "waiting": 0}
    (tmp_path / "in" / "fed").touch()
    scans[2].write_text("ok")
    again = run_stand_ins(scans, out, make_slurm())
    assert [outcome.status for outcome in again] == ["skipped", "done", "done", "skipped"]
    assert set(times(tmp_path / "in", "done").values()) == {1}
    assert not (out / ".medunsup-run").exists()


def test_a_cancelled_job_costs_its_own_item(make_slurm, tmp_path):
    begun = []

    def told(index, text):
        begun.append(index)
        (folder,) = places.left_folders(tmp_path)
        call("scancel", f"--name={queue.job_name(folder)}")

    items = [str(tmp_path / "waited")]
    results = dict(make_slurm().run(work(tasks.wait, items, tmp_path), told))
    assert begun == [0]
    assert "ended from outside" in results[0].why
    assert not (tmp_path / "waited").exists()


@pytest.mark.slow
def test_a_job_at_its_time_limit_is_named_with_the_limit(make_slurm, tmp_path):
    scans, out = make_stand_ins(tmp_path / "in", ["slow 300", "ok"]), tmp_path / "out"
    outcomes = run_stand_ins(scans, out, make_slurm(time="1"))  # Slurm counts whole minutes
    assert [outcome.status for outcome in outcomes] == ["error", "done"]
    assert "reached its time limit of 1" in outcomes[0].error


@pytest.mark.slow  # Slurm lets it wait for two minutes
def test_a_job_that_slurm_puts_back_does_nothing_twice(make_slurm, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "MOST_JOBS", 1)  # all in one job
    begun = []

    def told(index, text):
        begun.append(index)
        if sorted(begun) == [0, 1]:
            (folder,) = places.left_folders(tmp_path / "out")
            number = call("squeue", "-h", "-n", queue.job_name(folder), "-o", "%A").strip()
            call("scontrol", "requeue", number)

    scans = make_stand_ins(tmp_path / "in", ["ok", "slow 3", "ok"])
    (tmp_path / "out").mkdir()
    from helpers.stand_in_scans import StandInRequest, do_stand_in

    from medunsup.cohort.request import ScanRequest

    items = [StandInRequest(ScanRequest(scan, out=tmp_path / "out")) for scan in scans]
    results = dict(make_slurm().run(work(do_stand_in, items, tmp_path / "out"), told))
    assert [results[n].status for n in range(3)] == ["done"] * 3
    assert set(times(tmp_path / "in", "done").values()) == {1}
    assert times(tmp_path / "in", "begun") == {"scan0000.nii": 1, "scan0001.nii": 2, "scan0002.nii": 1}


def test_jobs_of_a_run_that_was_killed_are_waited_for_and_done_once(make_slurm, tmp_path, monkeypatch):
    scans, out = make_stand_ins(tmp_path / "in", ["slow 2"] * 3), tmp_path / "out"
    killed = threading.Event()

    def die(*_):
        killed.set()
        raise SystemExit  # leaves all as kill -9 does

    with monkeypatch.context() as patch:
        patch.setattr(executor._Watch, "_listen", die)
        patch.setattr(queue, "cancel", lambda folder: None)
        patch.setattr(executor, "_are_gone", lambda *_: False)
        with pytest.raises(SystemExit):
            run_stand_ins(scans, out, make_slurm())
    assert killed.is_set()
    told = status(out)
    assert told.counts["running"] >= 1
    assert told.counts["running"] + told.counts["waiting"] == 3
    assert any("Slurm has jobs of it" in note for note in told.notes)
    monkeypatch.setattr(wait_for_left, "__kwdefaults__", {"ask_s": 0.2})
    outcomes = run_stand_ins(scans, out, make_slurm())
    assert [outcome.status for outcome in outcomes] == ["skipped"] * 3
    assert set(times(tmp_path / "in", "begun").values()) == {1}
    assert places.left_folders(out) == []


def test_a_scheduler_that_does_not_answer_loses_nothing_that_comes(make_slurm, tmp_path, monkeypatch):
    def no_answer(folder):
        raise queue.NoAnswerError("Unable to contact slurm controller")

    where = make_slurm()
    where.patience_s = 4
    with monkeypatch.context() as patch:
        patch.setattr(queue, "jobs_of", no_answer)
        found = dict(where.run(work(tasks.square, [1, 2], tmp_path), lambda *_: None))
        assert found == {0: 1, 1: 4}
        items = [str(tmp_path / "waited")]
        (lost,) = dict(where.run(work(tasks.wait, items, tmp_path), lambda *_: None)).values()
        assert "Slurm has not answered" in lost.why
        with pytest.raises(OutputError, match="Slurm does not tell"):
            wait_for_left([tmp_path])
    for folder in places.left_folders(tmp_path):
        queue.cancel(folder)
    wait_for_left([tmp_path], ask_s=0.2)


def test_a_partition_that_is_not_there_is_slurms_refusal_in_words(make_slurm, tmp_path):
    with pytest.raises(UsageError, match="Invalid partition"):
        list(make_slurm(partition="gone").run(work(tasks.square, [1], tmp_path), lambda *_: None))
    assert places.left_folders(tmp_path) == []


def test_a_node_that_does_not_see_the_folder_is_told(make_slurm, tmp_path, monkeypatch):
    where = make_slurm()
    plain = queue.submit

    def hide_and_submit(script):
        number = plain(script)
        shutil.move(script.parent, tmp_path / "elsewhere")
        script.parent.mkdir()
        return number

    monkeypatch.setattr(queue, "submit", hide_and_submit)
    (lost,) = dict(where.run(work(tasks.square, [1], tmp_path), lambda *_: None)).values()
    assert isinstance(lost, Lost)
    assert str(tmp_path) in lost.why or "ended with code" in lost.why


def test_without_sbatch_the_remedy_is_named_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="sbatch is not there"):
        Slurm().prepare([tmp_path])


@pytest.mark.parametrize(
    "settings",
    [{"time": "soon"}, {"mem": "2 G"}, {"account": "a b"}, {"partition": "x\n#SBATCH --uid=0"}, {"cpus": 0}],
)
def test_what_slurm_would_not_understand_is_refused(settings):
    with pytest.raises(UsageError):
        SlurmSettings.parse(settings)


def test_without_a_cluster_the_run_is_refused_and_another_executor_can_take_over(tmp_path, monkeypatch):
    if which("sbatch") is None:
        pytest.skip("no sbatch")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "none.conf"))
    scans, out = make_stand_ins(tmp_path / "in", ["ok"]), tmp_path / "out"
    with pytest.raises(MedunsupError):
        run_stand_ins(scans, out, executor.Slurm())
    assert places.left_folders(out) == []
    assert [outcome.status for outcome in run_stand_ins(scans, out, Processes())] == ["done"]


def test_items_are_shared_among_at_most_a_thousand_jobs():
    assert parts(3) == [range(1), range(1, 2), range(2, 3)]
    shares = parts(2500)
    assert len(shares) == MOST_JOBS
    assert [n for share in shares for n in share] == list(range(2500))
    assert {len(share) for share in shares} == {2, 3}


def test_the_script_says_all_that_was_asked(tmp_path):
    settings = SlurmSettings(time="00:10:00", mem="2G", account="lab", partition="short", cpus=2, at_once=5)
    lines = array_script(tmp_path / "x", 12, settings).splitlines()
    asked = {"--array=0-11%5", "--time=00:10:00", "--mem=2G", "--account=lab", "--partition=short"}
    assert {f"#SBATCH {word}" for word in asked | {"--cpus-per-task=2"}} <= set(lines)


@pytest.mark.parametrize("is_here", [False, True])
def test_a_folder_with_a_line_break_gives_slurm_no_command(is_here, tmp_path, monkeypatch):
    folder = tmp_path / "a\ntouch taken #"
    folder.mkdir()
    if is_here:
        monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match="line break"):
        array_script(tmp_path / "x" if is_here else folder, 1, SlurmSettings())


def test_scans_at_work_are_told_whatever_blanks_their_names_have(tmp_path):
    folder = places.new_folder(tmp_path)
    folder.mkdir(parents=True)
    (folder / "0.said").write_text(places.one_line("two  blanks.nii.gz") + "\nbrain mask\n")
    (folder / "1.said").touch()
    assert places.at_work(folder) == [places.one_line("two  blanks.nii.gz")]
    (folder / "0.result").touch()
    assert places.at_work(folder) == []
    shutil.rmtree(folder)
    assert places.at_work(folder) == []
