"""The cores that a process may use are those of its job or container, not the machine's."""

import os

import pytest

from medunsup.core import cores
from medunsup.core.cores import available_cores


@pytest.fixture(autouse=True)
def many_cores(monkeypatch, tmp_path):
    """A machine of 64 cores without any limit."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(cores, "CGROUP", tmp_path)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)


def test_without_a_limit_all_that_the_process_may_run_on_count(monkeypatch):
    assert available_cores() == 64
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert available_cores() == 2


@pytest.mark.parametrize(
    ("quota", "count"), [("max 100000", 64), ("400000 100000", 4), ("150000 100000", 2), ("1000 100000", 1)]
)
def test_a_container_has_the_cores_of_its_quota_a_part_counting_as_one(tmp_path, quota, count):
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert available_cores() == count


@pytest.mark.parametrize(("quota", "count"), [("-1", 64), ("300000", 3)])
def test_so_it_is_with_control_groups_of_the_first_version(tmp_path, quota, count):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert available_cores() == count


@pytest.mark.parametrize("broken", ["", "max", "four 100000", "100000 0", "a b c"])
def test_a_quota_that_cannot_be_read_is_none(tmp_path, broken):
    (tmp_path / "cpu.max").write_text(broken)
    assert available_cores() == 64


@pytest.mark.parametrize(("word", "count"), [("2", 2), ("128", 64), ("", 64), ("0", 64), ("two", 64)])
def test_a_job_of_slurm_has_the_cores_it_asked_for(monkeypatch, word, count):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", word)
    assert available_cores() == count
