"""Work through many scans, in this process or in several: what becomes of each is an outcome."""

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, Literal, TypeVar

from medunsup.cohort.executors.base import Executor, Lost, Task, Work
from medunsup.cohort.executors.slurm.executor import wait_for_left
from medunsup.core.errors import MedunsupError, OutputError, is_wrong_use
from medunsup.core.hints import option, traceback_hint
from medunsup.core.shown import Shown
from medunsup.io.bids.names import OutputNames
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover_all

Progress = Callable[[Path, str], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one scan of many.

    Attributes
    ----------
    scan : Path
        The scan's path.
    status : {'done', 'skipped', 'error', 'not run'}
        'error' is a scan without a result, or without the DICOM files that were asked for, whatever a verdict
        says of those that have one.
    warnings : tuple of str
        What a reader of the result should know.
    outputs : dict of str to Path
        Files that were written, by kind.
    error : str or None
        Why there is no result, in one line.
    trace : str or None
        Traceback of the error.
    is_fatal : bool
        Whether the other scans would fail too.
    is_wrong_use : bool
        Whether what was asked for cannot be had of this scan.
    seconds : float
        How long it took.
    """

    scan: Path
    status: Literal["done", "skipped", "error", "not run"]
    warnings: tuple[str, ...] = ()
    outputs: dict[str, Path] = field(default_factory=dict)
    error: str | None = None
    trace: str | None = None
    is_fatal: bool = False
    is_wrong_use: bool = False
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "scan": str(self.scan),
            "status": self.status,
            "warnings": list(self.warnings),
            "outputs": {kind: str(path) for kind, path in self.outputs.items()},
            "error": self.error,
            "seconds": round(self.seconds, 2),
        }


AnyOutcome = TypeVar("AnyOutcome", bound=Outcome)


@dataclass(frozen=True, repr=False)
class CohortResult(Shown, Generic[AnyOutcome]):
    """What became of each of many scans.

    Attributes
    ----------
    scans : tuple of Outcome
        One for each scan, in the order given: `status` is 'done', 'skipped', 'error' or 'not run'.
    group_page : Path or None
        Page that compares all scans of the folder.
    warnings : tuple of str
        Warnings about the scans as a whole.

    Examples
    --------
    >>> import medunsup
    >>> done = medunsup.segment_many(["scan.nii.gz", "not_there.nii.gz"], "cohort", report=False)
    >>> [scan.status for scan in done.scans], done.n_failed
    (['done', 'error'], 1)
    """

    scans: tuple[AnyOutcome, ...]
    group_page: Path | None = None
    warnings: tuple[str, ...] = ()

    @property
    def n_failed(self) -> int:
        """How many scans have no result."""
        return sum(scan.status in ("error", "not run") for scan in self.scans)


@contextmanager
def reserved(names: Sequence[OutputNames], executor: Executor) -> Iterator[None]:
    """Keep other runs out of the folders that results go into; what killed runs left there is cleared.

    What an ended run left at work elsewhere is waited for.

    Raises OutputError if another run is writing there, or a folder cannot be written.
    """
    with ExitStack() as locks:
        for lock in sorted({each.lock for each in names}):
            locks.enter_context(locked(lock))
        roots = sorted({each.root for each in names if each.root is not None})
        executor.prepare(roots)
        wait_for_left(roots)
        recover_all((each.folder, each.stem) for each in names)
        yield


def attempt(scan: Path, kind: type[AnyOutcome], work: Callable[[], AnyOutcome]) -> AnyOutcome:
    """Return what `work` returns, or an outcome that says why it failed; with the seconds it took."""
    started = perf_counter()

    def failed(error: str, *, is_fatal: bool = False, is_wrong_use: bool = False) -> AnyOutcome:
        told, trace = naming(scan, error), traceback.format_exc()
        return kind(scan, "error", error=told, trace=trace, is_fatal=is_fatal, is_wrong_use=is_wrong_use)

    try:
        outcome = work()
    except MedunsupError as error:
        is_fatal = isinstance(error, OutputError)
        outcome = failed(str(error), is_fatal=is_fatal, is_wrong_use=is_wrong_use(error))
    except MemoryError:
        outcome = failed(f"not enough memory. Try {option('jobs', 1)}.")
    except Exception as error:  # noqa: BLE001 - one broken scan must not end the others
        text = f"unexpected {type(error).__name__}: {error}. {traceback_hint()}"
        outcome = failed(" ".join(text.split()))
    return replace(outcome, seconds=perf_counter() - started)


def naming(scan: Path, error: str) -> str:
    """Return an error that begins with the scan it is about."""
    return error if error.startswith(str(scan)) else f"{scan}: {error}"


def work_through(
    task: Task,
    items: Sequence[Any],
    scans: Sequence[Path],
    kind: type[AnyOutcome],
    *,
    executor: Executor,
    folder: Path | None = None,
    progress: Progress | None,
) -> Iterator[AnyOutcome]:
    """Yield the outcome of `task(item, say)` for each scan as it comes.

    A worker that dies costs its own scan. After a fatal outcome nothing more is begun. `folder` is one that
    all who work must see.
    """

    def told(index: int, text: str) -> None:
        if progress is not None:
            progress(scans[index], text)

    done = set()
    work = Work(task, items, [str(scan) for scan in scans], folder)
    with closing(executor.run(work, told)) as results:
        for index, found in results:
            done.add(index)
            outcome = _lost(scans[index], kind, found) if isinstance(found, Lost) else found
            outcome = _seen_here_alone(outcome, executor.name)
            yield outcome
            if outcome.is_fatal:
                break
    for index, scan in enumerate(scans):
        if index not in done:
            yield kind(scan, "not run", error=f"{scan}: not begun, since the run had to stop before.")


def in_order(
    outcomes: Iterable[AnyOutcome],
    scans: Sequence[Path],
    finished: Callable[[AnyOutcome], None] | None,
) -> tuple[AnyOutcome, ...]:
    """Tell each outcome as it comes, and return them in the order of `scans`."""
    found: dict[Path, AnyOutcome] = {}
    for outcome in outcomes:
        found[outcome.scan] = outcome
        if finished is not None:
            finished(outcome)
    return tuple(found[scan] for scan in scans)


def _seen_here_alone(outcome: AnyOutcome, executor: str) -> AnyOutcome:
    """Say so where a scan is there, but not where it was worked on."""
    is_lost = (outcome.error or "").startswith(f"{outcome.scan}: there is no such file")
    if executor == "processes" or not is_lost or not outcome.scan.exists():
        return outcome
    why = f"is there, but not where it was worked on ({executor}). Give workers and nodes its file system."
    return replace(outcome, error=f"{outcome.scan}: {why}", is_wrong_use=False)


def _lost(scan: Path, kind: type[AnyOutcome], lost: Lost) -> AnyOutcome:
    return kind(scan, "error", error=f"{scan}: {lost.why}")
