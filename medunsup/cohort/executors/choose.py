"""The executors by name."""

from collections.abc import Callable
from typing import Any

from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.core.errors import UsageError
from medunsup.core.hints import option


def executor(
    name: str = "processes",
    *,
    jobs: int = 1,
    workers: str | None = None,
    time: str | int | None = None,
    mem: str | None = None,
    account: str | None = None,
    partition: str | None = None,
    cpus: int | None = None,
) -> Executor:
    """Choose where scans are worked on, by all that work through many.

    Parameters
    ----------
    name : {'processes', 'dask', 'slurm'}, default 'processes'
        Processes of this computer; workers of Dask; jobs of Slurm.
    jobs : int, 1 or more, default 1
        Scans at the same time: processes, or Dask workers that are started here. With Slurm the most jobs at
        the same time, from 2 on; 1 leaves it to the cluster.
    workers : str, optional
        Address of a Dask scheduler, such as 'tcp://host:8786'; without it Dask's workers are started here.
    time : str or int, optional
        Time limit of one Slurm job: minutes, 'HH:MM:SS' or 'D-HH:MM:SS'.
    mem : str, optional
        Memory of one Slurm job, such as '2G'.
    account : str, optional
        Account that pays for the jobs.
    partition : str, optional
        Partition that the jobs run in.
    cpus : int, 1 or more, optional
        Cores of one Slurm job; 1 without it.

    Returns
    -------
    Executor
        What `segment_many` and the others take as `executor`.

    Raises
    ------
    UsageError
        If there is no such executor, or a setting is not one of its own.

    Examples
    --------
    >>> import medunsup
    >>> medunsup.executor("slurm", time="00:10:00", mem="2G").name
    'slurm'
    """
    if name not in EXECUTORS:
        raise UsageError(f"There is no executor {name!r}. Known: {', '.join(EXECUTORS)}.")
    all_given = {
        "workers": workers,
        "time": None if time is None else str(time),
        "mem": mem,
        "account": account,
        "partition": partition,
        "cpus": cpus,
    }
    given = {key: value for key, value in all_given.items() if value is not None}
    for key in given:
        if key not in TAKEN[name]:
            whose = next(other for other, keys in TAKEN.items() if key in keys)
            raise UsageError(
                f"{key} is a setting of {whose}, not of {name}. Add {option('executor', whose)}, or leave it "
                "out."
            )
    return EXECUTORS[name](jobs, given)


def _processes(jobs: int, given: dict[str, Any]) -> Executor:
    return Processes(jobs)


def _dask(jobs: int, given: dict[str, Any]) -> Executor:
    from medunsup.cohort.executors.dask_workers import Dask

    return Dask(given.get("workers"), jobs)


def _slurm(jobs: int, given: dict[str, Any]) -> Executor:
    from medunsup.cohort.executors.slurm.executor import Slurm
    from medunsup.cohort.executors.slurm.settings import SlurmSettings

    return Slurm(SlurmSettings.parse({**given, "at_once": jobs if jobs > 1 else None}, where="slurm"))


EXECUTORS: dict[str, Callable[[int, dict[str, Any]], Executor]] = {
    "processes": _processes,
    "dask": _dask,
    "slurm": _slurm,
}
TAKEN: dict[str, tuple[str, ...]] = {
    "processes": (),
    "dask": ("workers",),
    "slurm": ("time", "mem", "account", "partition", "cpus"),
}
