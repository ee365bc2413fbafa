"""Segment one scan and save it, in this process or another: every failure becomes an outcome."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from medunsup.core.errors import MedunsupError, OutputError, UsageError
from medunsup.run.request import Request
from medunsup.run.summary import ScanOutcome, read_outcome


@dataclass(frozen=True)
class Job:
    """One request and how to save it."""

    request: Request
    force: bool = False
    report: bool = True


def do_job(job: Job, say: Callable[[str], None]) -> ScanOutcome:
    """Segment and save; the folder is locked by the caller. `say` is told each step's name."""
    started = perf_counter()
    try:
        _segment_and_save(job, say)
        outcome = read_outcome(job.request, "done")
    except MedunsupError as error:
        outcome = replace(
            _failed(job, str(error)),
            is_fatal=isinstance(error, OutputError),
            is_wrong_use=isinstance(error, UsageError),
        )
    except MemoryError:
        outcome = _failed(job, f"{job.request.scan}: not enough memory. Try --jobs 1.")
    except Exception as error:  # noqa: BLE001 - one broken scan must not end the others
        text = f"{job.request.scan}: unexpected {type(error).__name__}: {error}. --debug shows where."
        outcome = _failed(job, " ".join(text.split()))
    return replace(outcome, seconds=perf_counter() - started)


def _segment_and_save(job: Job, say: Callable[[str], None]) -> None:
    from medunsup.run.export import write
    from medunsup.run.scan import segment_scan

    result = segment_scan(job.request, progress=say)
    say("save")
    write(result, job.request.names, force=job.force, report=job.report)


def _failed(job: Job, error: str) -> ScanOutcome:
    return ScanOutcome(job.request.scan, "failed", error=error, trace=traceback.format_exc())
