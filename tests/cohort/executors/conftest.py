"""The executors, each on the real thing: processes, Dask's workers, a Slurm of this one machine."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from helpers import one_machine_slurm

from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.dask_workers import Dask
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.executors.slurm.executor import Slurm
from medunsup.cohort.executors.slurm.settings import SlurmSettings

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def slurm_variables(tmp_path_factory) -> Iterator[Mapping[str, str]]:
    """A Slurm that runs until the tests end; skipped with the reason where it cannot."""
    why = one_machine_slurm.why_not()
    if why:
        pytest.skip(why)
    with one_machine_slurm.running(tmp_path_factory.mktemp("slurm")) as variables:
        yield variables


@pytest.fixture
def make_slurm(slurm_variables, monkeypatch) -> Callable[..., Slurm]:
    """Make an executor of Slurm that looks often."""
    for name, value in slurm_variables.items():
        monkeypatch.setenv(name, value)
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))

    def make(**settings: object) -> Slurm:
        return Slurm(SlurmSettings.parse(settings), look_s=0.1, ask_s=0.5, grace_s=0.5)

    return make


@pytest.fixture(params=["processes", "dask", "slurm"])
def where(request) -> Executor:
    """Each of the executors, with two workers."""
    if request.param == "slurm":
        return request.getfixturevalue("make_slurm")()
    return {"processes": Processes, "dask": lambda jobs: Dask(jobs=jobs)}[request.param](2)
