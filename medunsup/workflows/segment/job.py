"""Segment one scan and save it, in this process or another: every failure becomes an outcome."""

from collections.abc import Callable

from medunsup.cohort.batch import attempt
from medunsup.workflows.segment.outcome import ScanOutcome, read_outcome
from medunsup.workflows.segment.request import SegmentRequest


def do_segment(force: bool, report: bool, request: SegmentRequest, say: Callable[[str], None]) -> ScanOutcome:
    """Segment and save; the folder is locked by the caller. `say` is told each step's name."""
    return attempt(request.scan.path, ScanOutcome, lambda: _segment_and_save(request, force, report, say))


def _segment_and_save(
    request: SegmentRequest, force: bool, report: bool, say: Callable[[str], None]
) -> ScanOutcome:
    from medunsup.workflows.segment.save import write
    from medunsup.workflows.segment.scan import segment_scan

    result = segment_scan(request, progress=say)
    say("save")
    write(result, request.names, force=force, report=report)
    return read_outcome(request, "done")
