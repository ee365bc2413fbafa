"""The main job on the MNI152 average brain, which comes with nilearn; nothing is downloaded."""

import shutil
from pathlib import Path

from medunsup.cohort.batch import CohortResult, Progress
from medunsup.io.files.atomic import atomic_path
from medunsup.workflows.segment.cohort import Finished, make_requests, run_requests
from medunsup.workflows.segment.outcome import ScanOutcome
from medunsup.workflows.segment.settings import SegmentSettings

SCAN = "MNI152_T1w.nii.gz"


def run_demo(
    out: Path, *, force: bool = False, progress: Progress | None = None, finished: Finished | None = None
) -> CohortResult[ScanOutcome]:
    """Copy the MNI152 T1 into `out` and segment it there.

    Raises DependencyError if nilearn's data files are missing, OutputError if `out` cannot be written.
    """
    from medunsup.preprocess.geometry.template import template_file

    scan = out / SCAN
    if not scan.exists():
        with atomic_path(scan) as temporary:
            shutil.copyfile(template_file("t1"), temporary)
    requests = make_requests([scan], SegmentSettings())
    return run_requests(requests, force=force, progress=progress, finished=finished)
