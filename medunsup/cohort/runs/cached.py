"""Work through many scans whose results are kept in the folder of prepared scans, here or elsewhere."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol, TypeVar

from medunsup.cohort.batch import AnyOutcome, work_through
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.executors.slurm.executor import wait_for_left
from medunsup.cohort.prepare import other_cache
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.runs.record import PlannedFile, RunRecord
from medunsup.core.errors import InputError
from medunsup.io.bids.names import LOCK
from medunsup.io.files.lock import locked


class CachedTask(Protocol):
    """One scan, of which something is kept in a file of the cache."""

    @property
    def request(self) -> ScanRequest:
        """The scan and how it is read."""

    @property
    def place(self) -> Path:
        """The file. Raises InputError if the scan cannot be read."""


AnyTask = TypeVar("AnyTask", bound=CachedTask)
Do = Callable[[AnyTask, Callable[[str], None]], AnyOutcome]

log = logging.getLogger(__name__)


def is_kept(task: CachedTask) -> bool:
    """Whether the task's file is there. Raises InputError if the scan cannot be read."""
    return task.place.is_file()


def work_into_cache(
    tasks: Sequence[AnyTask],
    do: Do[AnyTask, AnyOutcome],
    kind: type[AnyOutcome],
    cache: Path,
    where: Executor,
) -> Iterator[AnyOutcome]:
    """Yield every scan's outcome as it comes; `do(task, say)` reads what is kept of a scan, or makes it.

    Where processes of this computer work, several runs may share a cache at the same time. Elsewhere it is
    reserved, and what is kept already is read here, so that no job begins for it.
    """
    is_here = where.name == Processes.name
    with nullcontext() if is_here else reserved_cache(cache, where):
        files = [_planned(n, task, cache, kind.__name__) for n, task in enumerate(tasks)]
        kept = [(cache / file.record).is_file() for file in files]
        is_told = not (is_here and all(kept))
        record = RunRecord(cache, files, executor=where.name, force=False) if is_told else None
        read_here = [task for task, there in zip(tasks, kept, strict=True) if there and not is_here]
        todo = [task for task, there in zip(tasks, kept, strict=True) if is_here or not there]
        try:
            for outcome in _outcomes(read_here, todo, do, kind, cache, where, record):
                if outcome.trace is not None:
                    log.info("%s", outcome.trace)  # shown with --debug
                if record is not None:
                    record.ended(outcome)
                yield outcome
        finally:
            if record is not None:
                record.close()


@contextmanager
def reserved_cache(cache: Path, where: Executor) -> Iterator[None]:
    """Keep other runs elsewhere out of a cache, and wait for what an ended one left at work there.

    Raises OutputError if another run is at work there, or it cannot be written.
    """
    with locked(cache / f".{LOCK}", instead=other_cache()):
        where.prepare([cache])
        wait_for_left([cache])
        yield


def _outcomes(
    read_here: Sequence[AnyTask],
    todo: Sequence[AnyTask],
    do: Do[AnyTask, AnyOutcome],
    kind: type[AnyOutcome],
    cache: Path,
    where: Executor,
    record: RunRecord | None,
) -> Iterator[AnyOutcome]:
    for task in read_here:
        yield do(task, lambda text: None)
    scans = [task.request.path for task in todo]

    def told(scan: Path, text: str) -> None:
        if record is not None:
            record.begun(scan)

    yield from work_through(do, todo, scans, kind, executor=where, folder=cache, progress=told)


def _planned(n: int, task: CachedTask, cache: Path, what: str) -> PlannedFile:
    """Say where a scan's file will be; one that cannot be read will have none."""
    try:
        name = task.place.relative_to(cache).as_posix()
    except InputError:
        name = f"none of scan {n}"
    return PlannedFile(scan=str(task.request.path), record=name, result=f"{what} of {task.request.path}")
