"""Segment one scan and save it, in this process or another: every failure becomes an outcome."""

from collections.abc import Callable
from dataclasses import dataclass

from medunsup.cohort.batch import attempt
from medunsup.workflows.segment.outcome import ScanOutcome, read_outcome
from medunsup.workflows.segment.request import SegmentRequest


@dataclass(frozen=True)
class Job:
    """One request and how to save it."""

    request: SegmentRequest
    force: bool = False
    report: bool = True


def do_job(job: Job, say: Callable[[str], None]) -> ScanOutcome:
    """Segment and save; the folder is locked by the caller. `say` is told each step's name."""
    return attempt(job.request.scan.path, ScanOutcome, lambda: _segment_and_save(job, say))


def _segment_and_save(job: Job, say: Callable[[str], None]) -> ScanOutcome:
    from medunsup.workflows.segment.save import write
    from medunsup.workflows.segment.scan import segment_scan

    result = segment_scan(job.request, progress=say)
    say("save")
    write(result, job.request.names, force=job.force, report=job.report)
    return read_outcome(job.request, "done")
