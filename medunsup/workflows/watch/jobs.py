"""What is run on a complete series, in a process of its own, so that one that dies takes no other with it."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.executors.processes import run_all

if TYPE_CHECKING:
    from medunsup.workflows.segment.settings import SegmentSettings

Say = Callable[[str], None]
DIED = "its process was ended from outside, perhaps for lack of memory."


@dataclass(frozen=True)
class SegmentJob:
    """Segment a series, and write the results as DICOM files too if asked."""

    settings: "SegmentSettings"
    out: Path
    report: bool = True
    dicom: bool = False

    def __call__(self, series: Path, say: Say) -> Outcome:
        """Do it; every failure becomes an outcome."""
        return attempt(series, Outcome, lambda: self._done(series, say))

    def _done(self, series: Path, say: Say) -> Outcome:
        from medunsup.workflows.segment.cohort import make_requests, run_requests
        from medunsup.workflows.segment.dicom.files import write_dicom
        from medunsup.workflows.segment.outputs import DICOM

        (request,) = make_requests([series], self.settings, self.out)
        (outcome,) = run_requests([request], report=self.report, progress=lambda scan, text: say(text)).scans
        if self.dicom and outcome.error is None and not request.names.path(DICOM).exists():
            say("DICOM")
            write_dicom(request)
        return outcome


@dataclass(frozen=True)
class DetectJob:
    """Find what a model does not explain in a series."""

    model: Path | None
    out: Path

    def __call__(self, series: Path, say: Say) -> Outcome:
        """Do it; every failure becomes an outcome."""
        return attempt(series, Outcome, lambda: self._done(series, say))

    def _done(self, series: Path, say: Say) -> Outcome:
        from medunsup.workflows.detect.cohort import make_requests, run_requests
        from medunsup.workflows.detect.scan import open_model

        model = open_model(self.model)
        requests = make_requests([series], model, self.out)
        (outcome,) = run_requests(requests, model, progress=lambda scan, text: say(text)).scans
        return outcome


Job = SegmentJob | DetectJob


def run_job(job: Job, series: Path) -> Outcome:
    """Run a job on one series in a process of its own, which ends with this one."""
    with closing(run_all(job, [series], 1, lambda index, text: None)) as running:
        for _, outcome in running:
            return outcome or Outcome(series, "error", error=f"{series}: {DIED}")
    raise AssertionError("a job has one outcome")
