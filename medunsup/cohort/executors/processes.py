"""Several processes, each working through scans; one that dies takes only its own scan with it."""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

from medunsup.cohort.executors.base import Lost, Task, Told, Work
from medunsup.cohort.executors.threads import THREAD_VARIABLES
from medunsup.core.cores import available_cores
from medunsup.core.hints import option, worded_as_here

GRACE_S = 5.0  # for a process to clear its files, which it cannot begin before compiled code returns


class Processes:
    """Works through items here: one after the other in this process, or several in processes of their own."""

    name = "processes"

    def __init__(self, jobs: int = 1) -> None:
        self.jobs = jobs

    def prepare(self, roots: Sequence[Path]) -> None:
        """Do nothing: its processes end with the run that began them."""

    def run(self, work: Work, told: Told) -> Generator[tuple[int, Any]]:
        """Yield (index, result), or `Lost` for an item whose process was ended."""
        if self.jobs > 1 and len(work.items) > 1:
            for index, result in run_all(work.task, work.items, self.jobs, told):
                yield index, Lost(_killed()) if result is None else result
            return
        for index, item in enumerate(work.items):
            yield index, work.task(item, lambda text, index=index: told(index, text))  # type: ignore[misc]

    def script(self, folder: Path, n_items: int) -> str:
        """Return nothing: no script is submitted."""
        return ""


def _killed() -> str:
    return f"its process was ended from outside, perhaps for lack of memory. Try fewer {option('jobs')}."


def run_all(task: Task, items: Sequence[Any], jobs: int, told: Told) -> Generator[tuple[int, Any]]:
    """Yield (index, result) as each item is done; None is the result where a process died.

    `task(item, say)` must be importable by name; what it says comes back through `told(index, text)`.
    Closing the iterator ends all processes.
    """
    waiting = list(enumerate(items))[::-1]
    with thread_limit(jobs):
        workers = [_Worker(task) for _ in range(min(jobs, len(items)))]
        try:
            for worker in workers:
                worker.give(waiting)
            while busy := [worker for worker in workers if worker.index is not None]:
                ready = set(connection.wait([worker.pipe for worker in busy]))
                for worker in busy:
                    if worker.pipe in ready:
                        yield from worker.listen(waiting, told)
        finally:
            for worker in workers:
                worker.tell_to_stop()
            for worker in workers:
                worker.stop()


@contextmanager
def thread_limit(jobs: int) -> Iterator[None]:
    """Share the cores: processes started inside use cores / jobs threads each, unless the user said."""
    before = dict(os.environ)
    share = str(max(1, available_cores() // jobs))
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, share)
    try:
        yield
    finally:
        for name in THREAD_VARIABLES:
            if name not in before:
                del os.environ[name]


class _Worker:
    """One process and the pipe to it; `index` is the item it works on, `ends_by` when it is killed."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.index: int | None = None
        self.ends_by = 0.0
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self.pipe, far = context.Pipe()
        serve = worded_as_here(_serve)
        self.process: BaseProcess = context.Process(target=serve, args=(self.task, far), daemon=True)
        self.process.start()
        far.close()

    def give(self, waiting: list[tuple[int, Any]]) -> None:
        """Hand over the next item, if there is one."""
        self.index = None
        if waiting:
            self.index, item = waiting.pop()
            with suppress(BrokenPipeError):  # one that is gone already is noticed when it is listened to
                self.pipe.send(item)

    def listen(self, waiting: list[tuple[int, Any]], told: Told) -> Iterator[tuple[int, Any]]:
        """Take one message; on a result, or the process's death, go on with the next item."""
        assert self.index is not None
        try:
            kind, value = self.pipe.recv()
        except (EOFError, OSError):
            kind, value = "done", None
            self.tell_to_stop()
            self.stop()
            self._start()
        if kind == "said":
            told(self.index, value)
            return
        finished = self.index
        self.give(waiting)
        yield finished, value

    def tell_to_stop(self) -> None:
        """Let the process end: idle, it leaves as its pipe closes; at work, it clears its files first."""
        if self.index is not None:
            self.process.terminate()
        self.pipe.close()
        self.ends_by = monotonic() + GRACE_S

    def stop(self) -> None:
        """See that a process that was told to stop does."""
        self.process.join(max(0.0, self.ends_by - monotonic()))
        if self.process.is_alive():
            self.process.kill()


def _serve(task: Task, pipe: Connection) -> None:
    """Work until the pipe closes."""
    import logging
    import signal
    import sys

    logging.captureWarnings(True)
    logging.basicConfig(handlers=[logging.NullHandler()])  # warnings that matter are in the scan's record
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends us
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError):  # nobody gives work or listens any more
        while True:
            item = pipe.recv()
            pipe.send(("done", task(item, lambda text: pipe.send(("said", text)))))


def _end_with_parent() -> None:
    """Leave at once when the parent is gone, so that no orphan writes into a folder it no longer locks."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
