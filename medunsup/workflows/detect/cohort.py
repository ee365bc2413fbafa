"""Look at many scans with one model: skip what is done, go on when one fails, compare what is there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from medunsup.cohort.batch import CohortResult, Progress, attempt, in_order, reserved
from medunsup.cohort.dicom.many import check_many, write_many
from medunsup.cohort.dicom.reference import DicomForm
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.failed import failed_scans
from medunsup.cohort.outputs import check_roots
from medunsup.cohort.places import tell_where
from medunsup.cohort.plan import Planned, carry_out, look, one_each
from medunsup.cohort.rehearsal.forecast import Forecast, forecast
from medunsup.core.renamed import takes_old_names
from medunsup.workflows.detect.group import write_table_and_page
from medunsup.workflows.detect.outcome import DetectOutcome, read_outcome
from medunsup.workflows.detect.outputs import ALL_ANOMALIES, DERIVATIVE, labels
from medunsup.workflows.detect.request import DetectRequest, check_rates, make_request
from medunsup.workflows.detect.save import write
from medunsup.workflows.detect.scan import detect_scan, open_model
from medunsup.workflows.train.model_folder import ModelFolder

Finished = Callable[[DetectOutcome], None]


@takes_old_names(false_parts="fp_per_scan", false_findings="fp_per_scan")
def detect_many(
    scans: Sequence[str | Path],
    model: str | Path | ModelFolder | None = None,
    out: str | Path | None = None,
    *,
    jobs: int = 1,
    mask: str | Path | None = None,
    force: bool = False,
    dicom: DicomForm | None = None,
    reference: str | Path | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    finished: Finished | None = None,
    **choices: Any,
) -> CohortResult[DetectOutcome]:
    """Look at many scans with one model; what is done already is skipped, and one that fails stops no other.

    A scan whose result is there, from the same input, model, choices and version, is skipped. Results of
    earlier runs among the paths are left out.

    Parameters
    ----------
    scans : sequence of str or Path
        The scans, or folders of NIfTI or MGZ files, each of which stands for the scans in it.
    model : str, Path or ModelFolder, optional
        A folder that `train` made, the name of a bundled model, or what `read_model` returned. Without it a
        bundled model for T1w is taken.
    out : str or Path, optional
        Folder for all results. Without it they go beside each scan, or to derivatives/medunsup of the BIDS
        data set that a scan named after BIDS lies in; the log says where before the run begins.
    jobs : int, 1 or more, default 1
        Scans at the same time, each in a process of its own. A script that uses more than 1 keeps the call
        under `if __name__ == "__main__":`.
    mask : str or Path, optional
        Brain mask, with {folder}, {stem} and {id} filled in from each scan's path:
        '{folder}/{id}_mask.nii.gz'.
    force : bool, default False
        Look again at scans whose results are there.
    dicom : {'labelmap', 'binary'}, optional
        Write DICOM files of the results as well, the segmentation of this kind: of DICOM series, or of those
        that `reference` names. A scan whose files cannot be written is an error; its other results stay.
    reference : str or Path, optional
        DICOM series that a NIfTI scan was converted from, for `dicom`, filled in as `mask` is.
    executor : Executor, optional
        Where scans are worked on, from `medunsup.executor`; it wins over `jobs`.
    progress : callable, optional
        Called with a scan's path and the name of each step as it begins.
    finished : callable, optional
        Called with what became of each scan as soon as that is known.
    **choices
        What changes the result, by name:

        - alpha : float between 0 and 1. False-positive rate of the verdict on a whole scan; without it 0.05
          if the calibration scans are enough for that.
        - fp_per_scan : float from 0 to 100, default 1.0. False positives that a healthy scan may show in
          the mask, on average (FP/scan).
        - baselines : bool, default False. Apply the model's baselines to each scan as well.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. What the scans are.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}. How to find the brain if no mask is given; without
          it the way of the model's own scans.
        - volume : int. Volume of 4D files, counted from 0.
        - series : str or int. DICOM series, by its number or UID.
        - coordinates : {'auto', 'sform', 'qform'}. Which of a NIfTI file's two coordinate systems to use if
          they differ; without it the model's own choice.
        - cache : str or Path. Folder that keeps prepared scans for the next call.

    Returns
    -------
    CohortResult
        `scans` holds what became of each scan, in the order given; `n_failed` counts those without a result.

    Raises
    ------
    InputError
        If the model cannot be used.
    UsageError
        If a choice is wrong, none of the scans is there, or results are there that were made otherwise and
        `force` is False.
    OutputError
        If a folder is in use by another run, or cannot be written.

    Examples
    --------
    >>> import medunsup
    >>> done = medunsup.detect_many(["scan.nii.gz"], "runs/atlas", "found")
    >>> [scan.status for scan in done.scans], done.n_failed
    (['done'], 0)
    """
    folder = open_model(model)
    requests = make_requests(scans, folder, out, mask, **choices)
    check_many(requests, dicom, reference)
    done = run_requests(
        requests,
        folder,
        jobs=jobs,
        executor=executor,
        force=force,
        progress=progress,
        finished=finished,
    )
    if dicom is None:
        return done
    from medunsup.workflows.detect.dicom.files import write_dicom

    return write_many(done, requests, write_dicom, dicom, reference)


def make_requests(
    scans: Sequence[str | Path],
    model: ModelFolder,
    out: str | Path | None = None,
    mask: str | Path | None = None,
    **choices: Any,
) -> list[DetectRequest]:
    """Turn paths and choices into one request a scan; earlier results among the paths are left out.

    A folder of NIfTI or MGZ files stands for the scans in it.

    Raises UsageError if they do not fit together, or if a file is missing for each of the scans.
    """

    def make(scan: Path, out: Path | None, mask: Path | None) -> DetectRequest:
        return make_request(scan, model, out=out, mask=mask, **choices)

    return one_each(scans, make, out=out, mask=mask)


def run_requests(
    requests: Sequence[DetectRequest],
    model: ModelFolder,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    force: bool = False,
    progress: Progress | None = None,
    finished: Finished | None = None,
) -> CohortResult[DetectOutcome]:
    """Do what is not done yet. `progress` hears (scan, step), `finished` each scan's outcome."""
    if requests:
        if progress is not None:
            progress(requests[0].scan.path, "reading the model")
        check_rates(requests[0])  # before a folder is made
    names = [request.names for request in requests]
    tell_where(names)
    where = executor or Processes(jobs)
    with reserved(names, where):
        planned = plan(requests, force=force)
        task = partial(do_detect, model, force)
        outcomes = carry_out(
            planned,
            task,
            DetectOutcome,
            read_outcome,
            record=DERIVATIVE.record,
            force=force,
            executor=where,
            progress=progress,
        )
        found = in_order(outcomes, [request.scan.path for request in requests], finished)
        groups = [write_table_and_page(root, each) for root, each in failed_scans(names, found).items()]
    return CohortResult(
        found,
        groups[0].page if groups else None,
        tuple(text for group in groups for text in group.warnings),
    )


def plan(requests: Sequence[DetectRequest], *, force: bool = False) -> list[Planned[DetectRequest]]:
    """Look what is there already.

    Raises OutputError if a root holds somebody else's table, and UsageError if the model cannot support what
    is asked or, without `force`, if a result is there that was made otherwise.
    """
    for request in requests[:1]:
        check_rates(request)
    check_roots([request.names for request in requests], ALL_ANOMALIES)
    return look(requests, DERIVATIVE, force=force, labels=labels())


def foresee(requests: Sequence[DetectRequest], where: Executor, *, force: bool) -> Forecast:
    """Say what a run would do; writes nothing. Raises what `plan` does."""
    return forecast(plan(requests, force=force), DERIVATIVE.record, where, force=force)


def do_detect(
    model: ModelFolder, force: bool, request: DetectRequest, say: Callable[[str], None]
) -> DetectOutcome:
    """Look at one scan and save what is found; the folder is locked by the caller.

    `model` takes the place of the request's own: in a process of its own it is read once for all its scans.
    """
    request = replace(request, model=model)
    return attempt(request.scan.path, DetectOutcome, lambda: _detect_and_save(request, force, say))


def _detect_and_save(request: DetectRequest, force: bool, say: Callable[[str], None]) -> DetectOutcome:
    result = detect_scan(request, progress=say)
    say("save")
    write(result, request, force=force)
    return read_outcome(request, "done")
