"""Where scans are worked on: the options that verbs for many scans share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from medunsup.cli.shared.options import option

if TYPE_CHECKING:
    from medunsup.cohort.executors.base import Executor

PANEL = "Cluster"


class ExecutorName(StrEnum):
    """Where scans are worked on."""

    processes = "processes"
    dask = "dask"
    slurm = "slurm"


Name = Annotated[
    ExecutorName,
    option(
        PANEL, "--executor", help="Where scans are worked on: processes of this computer, dask, or slurm."
    ),
]
Workers = Annotated[
    str | None,
    option(
        PANEL,
        metavar="ADDRESS",
        help="Dask scheduler, as tcp://host:8786; without it as many workers start here as --jobs says.",
    ),
]
Time = Annotated[
    str | None, option(PANEL, metavar="HH:MM:SS", help="Time limit of one Slurm job, which does one scan.")
]
Memory = Annotated[str | None, option(PANEL, "--mem", metavar="SIZE", help="Memory of one job, such as 2G.")]
Account = Annotated[str | None, option(PANEL, metavar="NAME", help="Account that pays for the jobs.")]
Partition = Annotated[str | None, option(PANEL, metavar="NAME", help="Partition that the jobs run in.")]
Cores = Annotated[
    int | None, option(PANEL, "--cpus", metavar="NUMBER", min=1, help="Cores of one job; by default 1.")
]


@dataclass(frozen=True)
class Where:
    """Where scans are worked on."""

    executor: Name = ExecutorName.processes
    workers: Workers = None
    time: Time = None
    mem: Memory = None
    account: Account = None
    partition: Partition = None
    cpus: Cores = None

    def chosen(self, jobs: int) -> "Executor":
        """Make the executor. Raises UsageError for an option of another one."""
        from medunsup.cohort.executors.choose import executor

        settings = {key: value for key, value in vars(self).items() if key != "executor"}
        return executor(self.executor.value, jobs=jobs, **settings)
