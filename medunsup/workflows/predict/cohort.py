"""Give many scans to one network: skip what is done, go on when one fails, compare what is there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from medunsup.cohort.batch import CohortResult, Progress, attempt, in_order, reserved
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.failed import failed_scans
from medunsup.cohort.finetuned.folder import FinetunedFolder
from medunsup.cohort.outputs import check_roots
from medunsup.cohort.places import tell_where
from medunsup.cohort.plan import Planned, carry_out, look, one_each
from medunsup.cohort.rehearsal.forecast import Forecast, forecast
from medunsup.workflows.predict.other_task import refuse_other_task
from medunsup.workflows.predict.outcome import PredictOutcome
from medunsup.workflows.predict.outputs import ALL_PREDICTIONS
from medunsup.workflows.predict.request import PredictRequest, kind_of, make_request, open_network
from medunsup.workflows.predict.save import label_names
from medunsup.workflows.predict.ways import WAYS

Finished = Callable[[PredictOutcome], None]


def predict_many(
    network: str | Path | FinetunedFolder,
    scans: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    jobs: int = 1,
    mask: str | Path | None = None,
    force: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
    finished: Finished | None = None,
    **choices: Any,
) -> CohortResult[PredictOutcome]:
    """Give many scans to a fine-tuned network; what is done already is skipped.

    One that fails stops no other. A scan whose result is there, from the same input, network, choices and
    version, is skipped. Results of earlier runs among the paths are left out.

    Parameters
    ----------
    network : str, Path or FinetunedFolder
        A folder that `finetune` made, or what it returned.
    scans : sequence of str or Path
        The scans, or folders of NIfTI or MGZ files, each of which stands for the scans in it. For a network
        that was fine-tuned on images, .npz files, of which `test_images` are taken, or else `images`.
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
    executor : Executor, optional
        Where scans are worked on, from `medunsup.executor`; it wins over `jobs`.
    progress : callable, optional
        Called with a scan's path and the name of each step as it begins.
    finished : callable, optional
        Called with what became of each scan as soon as that is known.
    **choices
        What changes the result, by name:

        - probabilities : bool, default False. Write the map of each label's probability as well; those of
          classes are always written.
        - prepared : bool, default False. Write the scans as the network saw them as well.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. What the scans are.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}. How to find the brain if no mask is given; without
          it the way of the fine-tuning.
        - volume : int. Volume of 4D files, counted from 0.
        - series : str or int. DICOM series, by its number or UID.
        - coordinates : {'auto', 'sform', 'qform'}. Which of a NIfTI file's two coordinate systems to use if
          they differ; without it that of the fine-tuning.
        - cache : str or Path. Folder that keeps prepared scans for the next call.

    Returns
    -------
    CohortResult
        `scans` holds what became of each scan, in the order given; `n_failed` counts those without a result.

    Raises
    ------
    InputError
        If the network cannot be used.
    UsageError
        If a choice is wrong, none of the scans is there, or results are there that were made otherwise and
        `force` is False.
    OutputError
        If a folder is in use by another run, or cannot be written.

    Examples
    --------
    >>> import medunsup
    >>> done = medunsup.predict_many("runs/seg", ["scan.nii.gz"], "predicted")
    >>> [scan.status for scan in done.scans], done.n_failed
    (['done'], 0)
    """
    folder = open_network(network)
    requests = make_requests(scans, folder, out, mask, **choices)
    return run_requests(
        requests,
        folder,
        jobs=jobs,
        executor=executor,
        force=force,
        progress=progress,
        finished=finished,
    )


def make_requests(
    scans: Sequence[str | Path],
    network: FinetunedFolder,
    out: str | Path | None = None,
    mask: str | Path | None = None,
    **choices: Any,
) -> list[PredictRequest]:
    """Turn paths and choices into one request a scan; earlier results among the paths are left out.

    A folder of NIfTI or MGZ files stands for the scans in it.

    Raises UsageError if they do not fit together, or if a file is missing for each of the scans.
    """

    def make(scan: Path, out: Path | None, mask: Path | None) -> PredictRequest:
        return make_request(scan, network, out=out, mask=mask, **choices)

    return one_each(scans, make, out=out, mask=mask)


def run_requests(
    requests: Sequence[PredictRequest],
    network: FinetunedFolder,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    force: bool = False,
    progress: Progress | None = None,
    finished: Finished | None = None,
) -> CohortResult[PredictOutcome]:
    """Do what is not done yet. `progress` hears (scan, step), `finished` each scan's outcome."""
    names, way = [request.names for request in requests], WAYS[kind_of(network)]
    tell_where(names)
    where = executor or Processes(jobs)
    with reserved(names, where):
        planned = plan(requests, network, force=force)
        task = partial(do_predict, network, force)
        outcomes = carry_out(
            planned,
            task,
            PredictOutcome,
            way.read,
            record=way.derivative.record,
            force=force,
            executor=where,
            progress=progress,
        )
        found = in_order(outcomes, [request.scan.path for request in requests], finished)
        pages = [way.together(root, each) for root, each in failed_scans(names, found).items()]
    return CohortResult(found, pages[0] if pages else None)


def plan(
    requests: Sequence[PredictRequest], network: FinetunedFolder, *, force: bool = False
) -> list[Planned[PredictRequest]]:
    """Look what is there already.

    Raises OutputError if a root holds somebody else's table, or results of another task, and without `force`
    UsageError if a result is there that was made otherwise.
    """
    names = [request.names for request in requests]
    check_roots(names, ALL_PREDICTIONS)
    refuse_other_task(names, network)
    labels = label_names(network.labels)
    return look(requests, WAYS[kind_of(network)].derivative, force=force, labels=labels)


def foresee(
    requests: Sequence[PredictRequest], network: FinetunedFolder, where: Executor, *, force: bool
) -> Forecast:
    """Say what a run would do; writes nothing. Raises what `plan` does."""
    way = WAYS[kind_of(network)]
    planned = plan(requests, network, force=force)
    return forecast(planned, way.derivative.record, where, force=force, read=way.read_input)


def do_predict(
    network: FinetunedFolder, force: bool, request: PredictRequest, say: Callable[[str], None]
) -> PredictOutcome:
    """Predict one scan and save what is found; the folder is locked by the caller.

    `network` takes the place of the request's own: in a process of its own it is read once for all its scans.
    """
    request = replace(request, network=network)
    return attempt(request.scan.path, PredictOutcome, lambda: _predict_and_save(request, force, say))


def _predict_and_save(request: PredictRequest, force: bool, say: Callable[[str], None]) -> PredictOutcome:
    way = WAYS[request.kind]
    result = way.predict(request, say)
    say("save")
    way.write(result, request, force)
    return way.read(request, "done")
