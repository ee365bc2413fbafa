"""Many scans: plan, skip what is done, go on when one fails, resume after a kill."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from medunsup.cohort.batch import CohortResult, Progress, in_order, reserved
from medunsup.cohort.dataset.folders import opened
from medunsup.cohort.dicom.many import check_many, write_many
from medunsup.cohort.dicom.reference import DicomForm
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.failed import failed_scans
from medunsup.cohort.inputs_filter import without_results
from medunsup.cohort.outputs import check_roots
from medunsup.cohort.patterns import check_patterns, fill
from medunsup.cohort.places import tell_where
from medunsup.cohort.plan import Planned, carry_out, look, placed
from medunsup.cohort.reading import by_contrast
from medunsup.cohort.rehearsal.forecast import Forecast, forecast
from medunsup.core.paths import user_path
from medunsup.workflows.segment.first_pass import check_learnable, learn, with_known_prior
from medunsup.workflows.segment.fit import build
from medunsup.workflows.segment.group import write_table_and_page
from medunsup.workflows.segment.job import do_segment
from medunsup.workflows.segment.outcome import ScanOutcome, read_outcome
from medunsup.workflows.segment.outputs import ALL_VOLUMES, DERIVATIVE, DSEG
from medunsup.workflows.segment.request import SegmentRequest, make_request
from medunsup.workflows.segment.settings import SegmentSettings

Finished = Callable[[ScanOutcome], None]


def segment_many(
    paths: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    jobs: int = 1,
    force: bool = False,
    report: bool = True,
    mask: str | Path | None = None,
    with_contrasts: Mapping[str, str | Path] | None = None,
    dicom: DicomForm | None = None,
    reference: str | Path | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    **choices: Any,
) -> CohortResult[ScanOutcome]:
    """Segment many scans; what is done already is skipped, and one that fails does not stop the rest.

    A scan whose result is there, from the same input, choices and version, is skipped, so that a run that was
    ended goes on where it was. Results of earlier runs among the paths are left out.

    Parameters
    ----------
    paths : sequence of str or Path
        The scans, or folders of NIfTI or MGZ files, each of which stands for the scans in it.
    out : str or Path, optional
        Folder for all results. Without it they go beside each scan, or to derivatives/medunsup of the BIDS
        data set that a scan named after BIDS lies in; the log says where before the run begins.
    jobs : int, 1 or more, default 1
        Scans at the same time, each in a process of its own. A script that uses more than 1 keeps the call
        under `if __name__ == "__main__":`.
    force : bool, default False
        Do scans again whose results are there.
    report : bool, default True
        Write the HTML pages.
    mask : str or Path, optional
        Brain mask, with {folder}, {stem} and {id} filled in from each scan's path:
        '{folder}/{id}_mask.nii.gz'.
    with_contrasts : dict of str to str or Path, optional
        Further scans of the same head, by contrast; paths with {folder}, {stem} and {id} as in `mask`.
    dicom : {'labelmap', 'binary'}, optional
        Write DICOM files of the results as well, the segmentation of this kind: of DICOM series, or of those
        that `reference` names. A scan whose files cannot be written is an error; its other results stay.
    reference : str or Path, optional
        DICOM series that a NIfTI scan was converted from, for `dicom`, filled in as `mask` is.
    executor : Executor, optional
        Where scans are worked on, from `medunsup.executor`; it wins over `jobs`.
    progress : callable, optional
        Called with a scan's path and the name of each step as it begins.
    **choices
        What changes the result, by name:

        - method : str, default 'atlas_gmm'. Tissue method; `medunsup.methods('tissue')` lists them.
        - parameters : dict. Parameters of the method; the fields of its `Config`.
        - tissues : int from 2 to 12, or 'auto', default 3. Number of classes; 3 are GM, WM and CSF.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. Weighting of the scans.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'. How masks are found if none is
          given.
        - volume : int. Volume of 4D files, counted from 0.
        - series : str or int. DICOM series, by its number or UID.
        - coordinates : {'auto', 'sform', 'qform'}, default 'auto'. Which of a NIfTI file's two coordinate
          systems to use if they differ.
        - seed : int, 0 or more, default 0. Seed of every random choice.
        - learn_prior : bool, default False. Let all scans refine the prior: segment, average, segment again.

    Returns
    -------
    CohortResult
        `scans` holds what became of each scan, in the order given; `n_failed` counts those without a result.

    Raises
    ------
    UsageError
        If a choice is wrong, none of the scans is there, or results are there that were made otherwise and
        `force` is False.
    OutputError
        If a folder is in use by another run, or cannot be written.

    Examples
    --------
    >>> import medunsup
    >>> done = medunsup.segment_many(["scan.nii.gz"], "many", report=False)
    >>> [scan.status for scan in done.scans]
    ['done']
    >>> again = medunsup.segment_many(["scan.nii.gz"], "many", report=False)
    >>> [scan.status for scan in again.scans]
    ['skipped']
    """
    settings = SegmentSettings.parse(choices, where="segment_many")
    requests = make_requests(paths, settings, out, mask, with_contrasts)
    check_many(requests, dicom, reference)
    done = run_requests(requests, jobs=jobs, executor=executor, force=force, report=report, progress=progress)
    if dicom is None:
        return done
    from medunsup.workflows.segment.dicom.files import write_dicom

    return write_many(done, requests, write_dicom, dicom, reference)


def make_requests(
    scans: Sequence[str | Path],
    settings: SegmentSettings,
    out: str | Path | None = None,
    mask: str | Path | None = None,
    with_contrasts: Mapping[str, str | Path] | None = None,
) -> list[SegmentRequest]:
    """Turn paths and choices into one request a scan; earlier results among the paths are left out.

    A folder of NIfTI or MGZ files stands for the scans in it.

    Raises UsageError if they do not fit together, or if a file is missing for each of the scans.
    """
    paths = without_results(opened([user_path(scan) for scan in scans]))
    further = by_contrast(with_contrasts)
    check_patterns([*([] if mask is None else [mask]), *further.values()], len(paths))
    build(settings)  # a misspelt method or parameter is told before anything is read
    requests = [
        make_request(
            scan,
            settings,
            mask=None if mask is None else fill(mask, scan),
            contrasts={name: fill(path, scan) for name, path in further.items()},
            out=None if out is None else user_path(out),
        )
        for scan in paths
    ]
    requests = placed(requests)
    if settings.learn_prior:
        check_learnable(requests)
    return requests


def run_requests(
    requests: Sequence[SegmentRequest],
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    force: bool = False,
    report: bool = True,
    progress: Progress | None = None,
    finished: Finished | None = None,
    first_pass: Callable[[Path], None] | None = None,
) -> CohortResult[ScanOutcome]:
    """Do what is not done yet. `progress` hears (scan, step), `finished` each scan's outcome.

    `first_pass` hears of each scan that is through with the pass which learns a prior.
    """
    names = [request.names for request in requests]
    tell_where(names)
    where = executor or Processes(jobs)
    with reserved(names, where):
        planned = plan(requests, force=force)
        if requests and requests[0].settings.learn_prior:
            learned = learn(requests, executor=where, progress=progress or _silent, passed=first_pass)
            planned = plan(learned, force=force)
        task = partial(do_segment, force, report)
        outcomes = carry_out(
            planned,
            task,
            ScanOutcome,
            read_outcome,
            record=DERIVATIVE.record,
            force=force,
            executor=where,
            progress=progress,
        )
        scans = in_order(outcomes, [request.scan.path for request in requests], finished)
        failed = failed_scans(names, scans)
        pages = [write_table_and_page(root, each, page=report) for root, each in failed.items()]
    return CohortResult(scans, pages[0] if pages else None)


def plan(requests: Sequence[SegmentRequest], *, force: bool = False) -> list[Planned[SegmentRequest]]:
    """Look what is there already.

    Raises OutputError if a root holds somebody else's data set or table, and without `force` UsageError if a
    result is there that was made otherwise.
    """
    check_roots([request.names for request in requests], ALL_VOLUMES)
    return look([with_known_prior(request) for request in requests], DERIVATIVE, force=force)


def foresee(requests: Sequence[SegmentRequest], where: Executor, *, force: bool) -> Forecast:
    """Say what a run would do; writes nothing. Raises what `plan` does."""
    return forecast(plan(requests, force=force), DSEG, where, force=force)


def _silent(scan: Path, text: str) -> None:
    """Hear progress and say nothing."""
