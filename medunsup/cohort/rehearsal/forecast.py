"""A dry run reads every input as the run will, so that what the run would refuse is told beforehand."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medunsup.cohort import reading
from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.further_contrasts import read_contrast, refuse_twice
from medunsup.cohort.identity import Status
from medunsup.cohort.plan import AnyAsked, Planned, script_of
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.runs.cached import CachedTask, is_kept
from medunsup.core.record import Step
from medunsup.io.bids.outputs import Output


@dataclass(frozen=True)
class Foreseen:
    """What a run would do with one scan, into which file or folder; `why` it would replace, or refuse."""

    scan: Path
    output: Path
    status: Status
    why: str = ""
    is_wrong_use: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether there will be no result of it."""
        return self.status in ("missing", "error")

    def is_to_be_done(self, *, force: bool) -> bool:
        """Whether a run would begin it."""
        return self.status in ("new", "other") or (self.status == "done" and force)


@dataclass(frozen=True)
class Forecast:
    """What a run would do with each scan, and what a cluster would be given for it, if anything."""

    scans: tuple[Foreseen, ...]
    script: str = ""


def read_scan(request: ScanRequest) -> None:
    """Read scan, mask and further contrasts with the run's own checks, and keep nothing."""
    how, step = request.reading, Step("load")
    image = reading.load_scan(request, step)
    refuse_twice(request, reading.told_contrast_of(request, image))
    if request.mask is not None:
        reading.load_mask(request.mask, image, step, how.coordinates)
    for name, path in request.contrasts.items():
        read_contrast(name, path, step, how.coordinates)


def forecast(
    planned: Sequence[Planned[AnyAsked]],
    record: Output,
    where: Executor,
    *,
    force: bool,
    read: Callable[[AnyAsked], object] = lambda asked: read_scan(asked.scan),
) -> Forecast:
    """Say what a run would do by its plan; `read` does what the run does first with a scan's files."""
    tried = [_tried(item, force, read) for item in planned]
    seen = (
        Foreseen(
            item.request.scan.path,
            item.request.names.path(record),
            item.status,
            item.why,
            item.is_wrong_use,
        )
        for item in tried
    )
    return Forecast(tuple(seen), script_of(tried, where, force=force))


def forecast_cached(tasks: Iterable[CachedTask], output: Path, cache: Path, where: Executor) -> Forecast:
    """Say which scans have what is kept of them in a cache, and which can be read to make it."""
    seen = tuple(_seen(tasks, output))
    n_todo = sum(one.is_to_be_done(force=False) for one in seen)
    return Forecast(seen, where.script(cache, n_todo) if n_todo else "")


def _seen(tasks: Iterable[CachedTask], output: Path) -> Iterator[Foreseen]:
    for task in tasks:
        scan = task.request.path
        found = attempt(scan, Outcome, lambda task=task: _looked(task))  # type: ignore[misc]
        status: Status = "error" if found.error else "done" if found.status == "skipped" else "new"
        yield Foreseen(scan, output, status, found.error or "", found.is_wrong_use)


def _looked(task: CachedTask) -> Outcome:
    """Return "skipped" where something is kept; else read the scan."""
    if is_kept(task):
        return Outcome(task.request.path, "skipped")
    read_scan(task.request)
    return Outcome(task.request.path, "done")


def _tried(item: Planned[AnyAsked], force: bool, read: Callable[[AnyAsked], object]) -> Planned[AnyAsked]:
    if not (item.status in ("new", "other") or (item.status == "done" and force)):
        return item

    def look() -> Outcome:
        read(item.request)
        return Outcome(item.request.scan.path, "done")

    found = attempt(item.request.scan.path, Outcome, look)
    if found.error is None:
        return item
    return replace(item, status="error", why=found.error, is_wrong_use=found.is_wrong_use)
