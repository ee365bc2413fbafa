"""Workers of Dask: those of any scheduler the user has, or processes of this computer."""

import pickle
from collections.abc import Generator, Iterator, Sequence
from contextlib import chdir, contextmanager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from secrets import token_hex
from shutil import rmtree
from threading import Lock
from time import monotonic, sleep
from typing import Any

from medunsup.cohort.executors.base import Lost, Task, Told, Work
from medunsup.cohort.executors.dask_checks import (
    check_scheduler,
    check_workers,
    no_scheduler,
    on_workers,
    short,
)
from medunsup.cohort.executors.kept import keep, read_kept
from medunsup.cohort.executors.run_folder import run_folder
from medunsup.cohort.executors.threads import limit_threads
from medunsup.core.cores import available_cores
from medunsup.core.errors import DependencyError, OutputError
from medunsup.core.hints import option, worded_as_here
from medunsup.io.bids.names import LOCK

LOOK_S = 1.0
CONNECT_S = 20.0
ONE_AT_A_TIME = Lock()  # in each worker process: scans are worked on one by one, whatever its threads
_at_work: set[str] = set()  # in each worker process: the folders of the items it works on


class Dask:
    """Works through items on the workers of a scheduler (`workers`, its address), or of `jobs` own processes.

    Each worker has one item at a time, and libraries use as many threads as the worker has. `patience_s` is
    how long it waits where no worker is left.
    """

    name = "dask"

    def __init__(self, workers: str | None = None, jobs: int = 1, *, patience_s: float = 300.0) -> None:
        self.workers, self.jobs, self.patience_s = workers, jobs, patience_s

    def prepare(self, roots: Sequence[Path]) -> None:
        """See that scheduler and workers are there, alike and see `roots`; wait for what an ended run left.

        Raises DependencyError, or OutputError with the remedy.
        """
        _import()
        if self.workers is None:
            return
        check_scheduler(self.workers, CONNECT_S)
        with self._client() as client:
            check_workers(client, self.workers)
            folders = [str(root.absolute()) for root in roots]
            seen = on_workers(client, _sees, folders)
            blind = sorted(address for address, missing in seen.items() if missing)
            if blind:
                raise OutputError(
                    f"{seen[blind[0]]}: is not seen by {len(blind)} of {len(seen)} workers ({blind[0]}). "
                    "Give them the file system under the same path, or choose another folder with "
                    f"{option('out')}."
                )
            while any(on_workers(client, _is_at_work, folders).values()):
                sleep(LOOK_S)
        for root in roots:  # what ended runs left
            rmtree(results_folder(root), ignore_errors=True)

    def run(self, work: Work, told: Told) -> Generator[tuple[int, Any]]:
        """Yield (index, result), or `Lost` for an item whose workers ended; closing cancels what is open."""
        if work.items:
            try:
                with self._client() as client:
                    yield from _Run(client, work, told, self.patience_s, self.workers or "here").results()
            finally:
                if work.folder is not None:
                    rmtree(results_folder(work.folder), ignore_errors=True)

    def script(self, folder: Path, n_items: int) -> str:
        """Return nothing: no script is submitted."""
        return ""

    @contextmanager
    def _client(self) -> Iterator[Any]:
        distributed = _import()
        if self.workers is not None:
            try:
                client = distributed.Client(self.workers, timeout=CONNECT_S, set_as_default=False)
            except (OSError, ValueError, TimeoutError) as error:
                raise no_scheduler(self.workers, error) from error
            with client:
                yield client
            return
        import dask

        with (
            dask.config.set({"distributed.scheduler.allowed-failures": 0}),  # one death is told, as elsewhere
            distributed.LocalCluster(
                n_workers=self.jobs,
                threads_per_worker=max(1, available_cores() // self.jobs),
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=50,
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield client


class _Run:
    """Gives each worker one item, and the next as one is done; words and ends come through one queue."""

    def __init__(self, client: Any, work: Work, told: Told, patience_s: float, where: str) -> None:
        self.client, self.work, self.told = client, work, told
        self.patience_s, self.where = patience_s, where
        self.heard: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self.waiting = list(range(len(work.items)))[::-1]
        self.futures: dict[int, Any] = {}
        self.token = token_hex(6)
        self.task = pickle.dumps(worded_as_here(work.task))
        self.alive = monotonic()

    def results(self) -> Iterator[tuple[int, Any]]:
        """Yield every item's result, or `Lost`."""
        self.client.subscribe_topic(self.token, lambda event: self.heard.put(("said", event[1])))
        try:
            self._give()
            while self.futures or self.waiting:
                yield from self._next()
        finally:
            with suppress(Exception):  # a scheduler that is gone has nothing to cancel
                self.client.cancel(list(self.futures.values()), force=True)

    def _next(self) -> Iterator[tuple[int, Any]]:
        try:
            kind, value = self.heard.get(timeout=LOOK_S)
        except Empty:
            self._give()
            if monotonic() - self.alive > self.patience_s:
                yield from self._all_lost(f"no Dask worker is left at {self.where}. {AGAIN}")
            return
        if kind == "said":
            index, text = value
            if index in self.futures:
                self.told(index, text)
        elif value in self.futures:
            result, is_over = self._result(value)
            del self.futures[value]
            yield value, result
            if is_over:
                yield from self._all_lost(f"the Dask scheduler at {self.where} is gone. {AGAIN}")
            else:
                self._give()

    def _give(self) -> None:
        """Give items to as many workers as there are now."""
        n_workers = len(self._workers())
        if n_workers:
            self.alive = monotonic()
        while self.waiting and len(self.futures) < n_workers:
            index = self.waiting.pop()
            future = self.client.submit(
                _do,
                self.task,
                index,
                self.work.items[index],
                self.token,
                None if self.work.folder is None else str(self.work.folder.absolute()),
                str(Path.cwd()),
                key=f"medunsup-{self.token}-{index}",
                pure=False,
            )
            self.futures[index] = future
            future.add_done_callback(lambda _, index=index: self.heard.put(("done", index)))

    def _workers(self) -> dict[str, int]:
        try:
            return dict(self.client.nthreads())
        except Exception:  # noqa: BLE001 - a scheduler that is gone has no workers
            return {}

    def _result(self, index: int) -> tuple[Any, bool]:
        """Return an item's result, or `Lost`, and whether the scheduler is gone."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            return self.futures[index].result(timeout=CONNECT_S), False
        except KilledWorker as error:
            n = error.allowed_failures + 1
            many = f"{n} workers ended" if n > 1 else "its worker was ended"
            why = f"{many} while at it, perhaps for lack of memory. Give Dask's workers more."
            return Lost(why), False
        except (CancelledError, OSError, TimeoutError) as error:
            if self.futures[index].status == "error":  # the worker's own, not the connection's
                return _not_done(error), False
            return Lost(f"the Dask scheduler at {self.where} is gone. {AGAIN}"), True
        except Exception as error:  # noqa: BLE001 - what a worker could not even begin
            return _not_done(error), False

    def _all_lost(self, why: str) -> Iterator[tuple[int, Any]]:
        left = [*self.futures, *self.waiting[::-1]]
        self.futures, self.waiting = {}, []
        for index in left:
            yield index, Lost(why)


AGAIN = "Start it again and give the same command, which goes on."


def _not_done(error: Exception) -> Lost:
    return Lost(f"a Dask worker could not do it: {type(error).__name__}: {short(error)}")


def results_folder(root: Path) -> Path:
    """Return where results lie until they are fetched: Dask has them in workers, and loses them so."""
    return run_folder(root) / "dask"


def _do(task: bytes, index: int, item: Any, token: str, folder: str | None, here: str) -> Any:
    """Do one item in a worker, unless another did it before it was gone; what it says goes to the client.

    Paths that the user gave are from `here`, the folder of the command; without it on the worker they are
    not found.
    """
    from distributed import get_worker

    worker = get_worker()
    place = None if folder is None else results_folder(Path(folder)) / f"{token}-{index}"
    with ONE_AT_A_TIME:
        if place is not None and place.exists():
            return read_kept(place)
        limit_threads(min(worker.state.nthreads, available_cores()))
        _at_work.add(str(folder))
        try:
            with chdir(here) if Path(here).is_dir() else nullcontext():
                result = _loaded(task)(item, lambda text: worker.log_event(token, (index, text)))
            if place is not None:
                keep(place, result)
            return result
        finally:
            _at_work.discard(str(folder))


@lru_cache(maxsize=1)
def _loaded(task: bytes) -> Task:
    """Unpack the task once a process, since it may hold a model."""
    return pickle.loads(task)


def _is_at_work(folders: Sequence[str]) -> bool:
    return not _at_work.isdisjoint(folders)


def _sees(folders: Sequence[str]) -> str:
    """Return the first folder that is not there, or is another one of its name; or nothing."""
    return next((folder for folder in folders if not Path(folder, f".{LOCK}").is_file()), "")


def _import() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise DependencyError("Dask is not installed. Install medunsup[dask].") from error
    return distributed
