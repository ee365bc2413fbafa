"""What is run on a complete series, in a process of its own, so that one that dies takes no other with it."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.dicom.folder import by_kind
from medunsup.cohort.executors.processes import run_all

if TYPE_CHECKING:
    from medunsup.cohort.dicom.reference import DicomForm
    from medunsup.workflows.segment.settings import SegmentSettings

Say = Callable[[str], None]
DIED = "its process was ended from outside, perhaps for lack of memory."


@dataclass(frozen=True)
class SegmentJob:
    """Segment a series, and write the results as DICOM files too if asked."""

    settings: "SegmentSettings"
    out: Path
    report: bool = True
    dicom: "DicomForm | None" = None

    def __call__(self, series: Path, say: Say) -> Outcome:
        """Do it; every failure becomes an outcome."""
        return attempt(series, Outcome, lambda: self._done(series, say))

    def _done(self, series: Path, say: Say) -> Outcome:
        from medunsup.workflows.segment.cohort import make_requests, run_requests
        from medunsup.workflows.segment.dicom.files import write_dicom
        from medunsup.workflows.segment.outputs import DICOM

        (request,) = make_requests([series], self.settings, self.out)
        (outcome,) = run_requests([request], report=self.report, progress=lambda scan, text: say(text)).scans
        folder = request.names.path(DICOM)
        return _with_dicom(outcome, self.dicom, folder, lambda form: write_dicom(request, None, form), say)


@dataclass(frozen=True)
class DetectJob:
    """Find what a model does not explain in a series, and write it as DICOM files too if asked."""

    model: Path | None
    out: Path
    dicom: "DicomForm | None" = None

    def __call__(self, series: Path, say: Say) -> Outcome:
        """Do it; every failure becomes an outcome."""
        return attempt(series, Outcome, lambda: self._done(series, say))

    def _done(self, series: Path, say: Say) -> Outcome:
        from medunsup.workflows.detect.cohort import make_requests, run_requests
        from medunsup.workflows.detect.dicom.files import write_dicom
        from medunsup.workflows.detect.outputs import DICOM
        from medunsup.workflows.detect.scan import open_model

        model = open_model(self.model)
        (request,) = make_requests([series], model, self.out)
        (outcome,) = run_requests([request], model, progress=lambda scan, text: say(text)).scans
        folder = request.names.path(DICOM)
        return _with_dicom(outcome, self.dicom, folder, lambda form: write_dicom(request, None, form), say)


def _with_dicom(
    outcome: Outcome,
    form: "DicomForm | None",
    folder: Path,
    write: Callable[["DicomForm"], Mapping[str, Path]],
    say: Say,
) -> Outcome:
    """Write the DICOM files of a result and add them to its outputs; those of the same result stay.

    Raises what `write` does.
    """
    if form is None or outcome.error is not None:
        return outcome
    if not folder.exists():
        say("DICOM")
        write(form)
    return replace(outcome, outputs={**outcome.outputs, **by_kind(folder)})


Job = SegmentJob | DetectJob


def run_job(job: Job, series: Path) -> Outcome:
    """Run a job on one series in a process of its own, which ends with this one."""
    with closing(run_all(job, [series], 1, lambda index, text: None)) as running:
        for _, outcome in running:
            return outcome or Outcome(series, "error", error=f"{series}: {DIED}")
    raise AssertionError("a job has one outcome")
