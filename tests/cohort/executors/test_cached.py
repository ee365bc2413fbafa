"""What is kept of scans in a cache is made once, wherever; what is left, and how to go on, is told."""

from pathlib import Path

import pytest
from helpers.cached_stand_ins import CachedStandIn, do_cached
from helpers.stand_in_scans import make_stand_ins, times

from medunsup.cohort.batch import Outcome, work_through
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.runs.cached import reserved_cache, work_into_cache
from medunsup.core.errors import OutputError
from medunsup.workflows.status.status import status


class Elsewhere(Processes):
    """Processes that pass for those of a cluster."""

    name = "elsewhere"


def tasks_of(scans: list[Path], folder: Path) -> list[CachedStandIn]:
    return [CachedStandIn(ScanRequest(scan, out=folder / "out"), folder / "cache") for scan in scans]


def statuses(tasks: list[CachedStandIn], where) -> dict[str, str]:
    outcomes = list(work_into_cache(tasks, do_cached, Outcome, tasks[0].cache, where))
    assert len(outcomes) == len(tasks)
    return {outcome.scan.name: outcome.status for outcome in outcomes}


def test_every_executor_makes_what_is_not_kept_and_leaves_nothing_else(where, tmp_path):
    scans = make_stand_ins(tmp_path / "in", ["ok", "fail", "ok"])
    tasks = tasks_of([*scans, tmp_path / "in" / "lost.nii"], tmp_path)
    told = statuses(tasks, where)
    assert told == {
        "scan0000.nii": "done",
        "scan0001.nii": "error",
        "scan0002.nii": "done",
        "lost.nii": "error",
    }
    assert status(tmp_path / "cache").counts == {"done": 2, "running": 0, "failed": 2, "waiting": 0}
    for mended in (tasks[1], tasks[3]):
        mended.request.path.write_text("ok")
    assert set(statuses(tasks, where).values()) == {"done"}
    begun = {"scan0000.nii": 1, "scan0001.nii": 2, "scan0002.nii": 1, "lost.nii": 1}
    assert times(tmp_path / "in", "begun") == begun
    names = {path.name for path in (tmp_path / "cache").iterdir()}
    assert names == {f"{Path(name).stem}_ok.kept" for name in begun}


def test_no_job_begins_for_what_is_kept(tmp_path, monkeypatch):
    tasks = tasks_of(make_stand_ins(tmp_path / "in", ["ok"] * 3), tmp_path)
    statuses(tasks[:2], Processes())
    given, run = [], Processes.run
    monkeypatch.setattr(
        Elsewhere, "run", lambda self, work, told: given.extend(work.items) or run(self, work, told)
    )
    assert set(statuses(tasks, Elsewhere()).values()) == {"done"}
    assert given == tasks[2:]


def test_runs_of_this_computer_share_a_cache_and_those_elsewhere_do_not(tmp_path):
    tasks = tasks_of(make_stand_ins(tmp_path / "in", ["ok"]), tmp_path)
    with reserved_cache(tmp_path / "cache", Elsewhere()):
        assert set(statuses(tasks, Processes()).values()) == {"done"}
        with pytest.raises(
            OutputError, match=r"is writing here.*choose another folder for prepared scans \(`cache`\)"
        ):
            statuses(tasks, Elsewhere())


def test_a_cache_that_holds_all_is_not_written_into(tmp_path):
    tasks = tasks_of(make_stand_ins(tmp_path / "in", ["ok"]), tmp_path)
    statuses(tasks, Processes())
    before = (tmp_path / "cache").stat().st_mtime_ns
    assert set(statuses(tasks, Processes()).values()) == {"done"}
    assert (tmp_path / "cache").stat().st_mtime_ns == before


def test_status_of_the_folder_beside_tells_of_the_cache_as_well(tmp_path):
    scans = make_stand_ins(tmp_path / "in", ["ok", "fail"])
    tasks = [
        CachedStandIn(task.request, tmp_path / "many" / "prepared") for task in tasks_of(scans, tmp_path)
    ]
    statuses(tasks, Processes())
    told = status(tmp_path / "many")
    assert told.counts == {"done": 1, "running": 0, "failed": 1, "waiting": 0}
    assert "on purpose" in next(scan.why for scan in told.scans if scan.status == "failed")
    assert len(told.commands) == 1


def unseen(scan: Path, say) -> Outcome:
    return Outcome(scan, "error", error=f"{scan}: there is no such file or folder. Check the path.")


def test_a_scan_that_only_this_computer_sees_is_told_as_such(tmp_path):
    scans = make_stand_ins(tmp_path / "in", ["ok"])
    for where, told in (
        (Elsewhere(), "is there, but not where it was worked on"),
        (Processes(), "Check the path"),
    ):
        (outcome,) = work_through(unseen, scans, scans, Outcome, executor=where, progress=None)
        assert told in outcome.error
