"""What is there of many scans before any is begun; what was made otherwise is not replaced unasked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

from medunsup.cohort.batch import AnyOutcome, Progress, naming, work_through
from medunsup.cohort.dataset.folders import opened
from medunsup.cohort.executors.base import Executor, Task
from medunsup.cohort.identity import Status
from medunsup.cohort.inputs_filter import apart, without_results
from medunsup.cohort.patterns import check_patterns, fill
from medunsup.cohort.request import ScanRequest, check_there
from medunsup.cohort.runs.record import PlannedFile, RunRecord
from medunsup.core.errors import InputError, UsageError, is_wrong_use
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.io.bids.derivatives import refuse_overwrite
from medunsup.io.bids.names import OutputNames, sidecar_path
from medunsup.io.bids.outputs import Derivative, Output


class Asked(Protocol):
    """A scan and what is asked for."""

    @property
    def scan(self) -> ScanRequest:
        """The scan and how it is read."""

    @property
    def names(self) -> OutputNames:
        """Where the results go."""

    def missing(self) -> str:
        """Say which input is not there; nothing if all are there."""

    def status(self) -> tuple[Status, str]:
        """Whether the result is not there, there, or there but made otherwise; and what differs."""


AnyAsked = TypeVar("AnyAsked", bound=Asked)


@dataclass(frozen=True)
class Planned(Generic[AnyAsked]):
    """One scan of the plan: whether its result is there; `why` it was made otherwise, or cannot be made.

    `is_wrong_use`: what was asked cannot be had of this scan.
    """

    request: AnyAsked
    status: Status
    why: str = ""
    is_wrong_use: bool = False


def one_each(
    scans: Sequence[str | Path],
    make: Callable[[Path, Path | None, Path | None], AnyAsked],
    *,
    out: str | Path | None,
    mask: str | Path | None,
) -> list[AnyAsked]:
    """Turn paths into one request a scan, `make(scan, out, mask)`; earlier results among them are left out.

    A folder of NIfTI or MGZ files stands for the scans in it; `mask` may be a pattern.

    Raises UsageError if they do not fit together, or if a file is missing for each of the scans.
    """
    paths = without_results(opened([user_path(scan) for scan in scans]))
    check_patterns([mask] if mask is not None else [], len(paths))
    folder = None if out is None else user_path(out)
    return placed([make(scan, folder, None if mask is None else fill(mask, scan)) for scan in paths])


def placed(requests: Sequence[AnyAsked]) -> list[AnyAsked]:
    """Send results that would be written under one name apart.

    Raises UsageError if that cannot be, or if a file is missing for each of the scans.
    """
    scans = apart([request.scan for request in requests])
    check_there(scans)
    return [replace(request, scan=scan) for request, scan in zip(requests, scans, strict=True)]  # type: ignore[type-var]


def look(
    requests: Sequence[AnyAsked],
    derivative: Derivative,
    *,
    force: bool,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> list[Planned[AnyAsked]]:
    """Look what is there of each scan, of all that the verb leaves; `labels` are those of a kind by its key.

    Raises without `force` UsageError if a result is there that was made otherwise, and ResultThereError if
    there is none but a file of the name of one.
    """
    planned = [_look(request) for request in requests]
    others = [item for item in planned if item.status == "other"]
    if others and not force:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        raise UsageError(
            f"{others[0].request.names.path(derivative.record)}: is there already, {others[0].why}{more}. "
            f"Choose another folder with {option('out')}, or pass {option('force', True)} to replace it."
        )
    for item in planned:
        if item.status == "new" and not force:
            refuse_overwrite(item.request.names, derivative.outputs, labels)
    return planned


def carry_out(
    planned: Sequence[Planned[AnyAsked]],
    task: Task,
    kind: type[AnyOutcome],
    read: Callable[[AnyAsked, Literal["skipped"]], AnyOutcome],
    *,
    record: Output,
    force: bool,
    executor: Executor,
    progress: Progress | None,
) -> Iterator[AnyOutcome]:
    """Yield every scan's outcome as it comes: what cannot be begun, what is there already, then the rest.

    `task(request, say)` makes a result, `read` tells of one that is there; `kind` is the class of outcomes.
    What becomes of each is kept beside the results while something is left to do; `record` is the map whose
    sidecar says that a result is whole.
    """
    roots, records = _records(planned, record, executor.name, force)

    def told(scan: Path, text: str) -> None:
        if scan in roots:
            records[roots[scan]].begun(scan)
        if progress is not None:
            progress(scan, text)

    try:
        for outcome in _outcomes(planned, task, kind, read, force, executor, told, next(iter(records), None)):
            if outcome.scan in roots:
                records[roots[outcome.scan]].ended(outcome)
            yield outcome
    finally:
        for each in records.values():
            each.close()


def script_of(planned: Sequence[Planned[AnyAsked]], executor: Executor, *, force: bool) -> str:
    """Return the script that a cluster would be given for what is to be done; empty if there is none."""
    todo = [item for item in planned if item.status in ("new", "other") or (item.status == "done" and force)]
    roots = [item.request.names.root or item.request.names.folder for item in todo]
    return executor.script(roots[0], len(todo)) if todo else ""


def _outcomes(
    planned: Sequence[Planned[AnyAsked]],
    task: Task,
    kind: type[AnyOutcome],
    read: Callable[[AnyAsked, Literal["skipped"]], AnyOutcome],
    force: bool,
    executor: Executor,
    told: Progress,
    root: Path | None,
) -> Iterator[AnyOutcome]:
    todo = []
    for item in planned:
        if item.status in ("missing", "error"):
            yield kind(item.request.scan.path, "error", error=item.why, is_wrong_use=item.is_wrong_use)
        elif item.status == "done" and not force:
            yield read(item.request, "skipped")
        else:
            todo.append(item.request)
    scans = [request.scan.path for request in todo]
    yield from work_through(task, todo, scans, kind, executor=executor, folder=root, progress=told)


def _records(
    planned: Sequence[Planned[AnyAsked]], record: Output, executor: str, force: bool
) -> tuple[dict[Path, Path], dict[Path, RunRecord]]:
    """Begin the record of each root, and say which scans go below which; others have none."""
    files: dict[Path, list[PlannedFile]] = {}
    roots: dict[Path, Path] = {}
    for item in planned:
        names, scan = item.request.names, item.request.scan.path
        if names.root is not None:
            done = sidecar_path(names.path(record)).relative_to(names.root).as_posix()
            files.setdefault(names.root, []).append(PlannedFile(scan=str(scan), record=done))
            roots[scan] = names.root
    return roots, {
        root: RunRecord(root, of_root, executor=executor, force=force) for root, of_root in files.items()
    }


def _look(request: AnyAsked) -> Planned[AnyAsked]:
    if why := request.missing():
        return Planned(request, "missing", why)
    try:
        return Planned(request, *request.status())
    except InputError as error:  # it costs this scan alone; a result that is there stays
        why = naming(request.scan.path, str(error))
        return Planned(request, "error", why, is_wrong_use(error))
