"""Segment one scan and save it, in this process or another: every failure becomes an outcome."""

from collections.abc import Callable
from dataclasses import dataclass

from medunsup.run.batch import attempt
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
    return attempt(job.request.scan, ScanOutcome, lambda: _segment_and_save(job, say))


def _segment_and_save(job: Job, say: Callable[[str], None]) -> ScanOutcome:
    from medunsup.run.export import write
    from medunsup.run.scan import segment_scan

    result = segment_scan(job.request, progress=say)
    say("save")
    write(result, job.request.names, force=job.force, report=job.report)
    return read_outcome(job.request, "done")
