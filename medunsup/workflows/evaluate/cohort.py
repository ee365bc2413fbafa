"""Measure the cases of an evaluation, one after the other or several at a time in processes of their own."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from medunsup.anomaly.evaluation import EvaluatedCase
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.executors.processes import run_all
from medunsup.core.errors import MedunsupError, StepError
from medunsup.core.hints import option, traceback_hint
from medunsup.core.pace import Pace
from medunsup.core.progress import Stage, Told
from medunsup.workflows.evaluate.case import measure
from medunsup.workflows.evaluate.judge import Judge
from medunsup.workflows.evaluate.kept import FORMAT, Kept, in_other_formats

Task = tuple[Case, Kept]

log = logging.getLogger(__name__)


def measure_all(
    cases: Sequence[Case], kept: Sequence[Kept], judge: Judge, told: Told, *, jobs: int = 1
) -> list[EvaluatedCase]:
    """Measure all cases, `jobs` at a time, and return their figures in the order of the cases.

    What is `kept` of a case is taken. `told` hears of each step, with an estimate of the time left. Raises
    the first error of a case.
    """
    _tell_of_other_formats(kept)
    tasks = list(zip(cases, kept, strict=True))
    if jobs > 1 and len(tasks) > 1:
        return _in_processes(tasks, judge, told, jobs)
    measured: list[EvaluatedCase] = []
    pace, seconds_left = Pace(len(tasks)), None
    for n, task in enumerate(tasks):
        stage = Stage(f"{_name(task[0])} ({n + 1} of {len(tasks)})", n / len(tasks), seconds_left)
        measured.append(kept_or_measured(judge, task, partial(_tell, told, stage)))
        seconds_left = pace.done()
    return measured


def _tell_of_other_formats(kept: Sequence[Kept]) -> None:
    """Say why cases that an earlier version measured are not taken, if any has to be measured."""
    if all(one.format == FORMAT for one in kept):
        return
    folder = kept[0].folder
    if n := in_other_formats(folder):
        log.warning(
            "%s: cases kept in the format of another version (%d) are not used; they are measured anew.",
            folder,
            n,
        )


def _in_processes(tasks: Sequence[Task], judge: Judge, told: Told, jobs: int) -> list[EvaluatedCase]:
    measured: dict[int, EvaluatedCase] = {}
    pace, stage = Pace(len(tasks)), Stage(f"measuring {len(tasks)} cases, {jobs} at a time")

    def say(index: int, text: str) -> None:
        told(replace(stage, detail=f"{_name(tasks[index][0])}: {text}"))

    with closing(run_all(partial(do_task, judge), tasks, jobs, say)) as results:
        for index, tried in results:
            measured[index] = _figures(tried, tasks[index][0])
            share, what = len(measured) / len(tasks), f"{len(measured)} of {len(tasks)} cases measured"
            stage = Stage(what, share, pace.done())
            told(stage)
    return [measured[n] for n in range(len(tasks))]


def do_task(judge: Judge, task: Task, say: Callable[[str], None]) -> EvaluatedCase | MedunsupError:
    """Measure one case; its error comes back as a value, which keeps its type between processes."""
    try:
        return kept_or_measured(judge, task, say)
    except MedunsupError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a defect of ours is no process that was ended from outside
        again = f"Run again with {option('jobs', 1)}. {traceback_hint()}"
        return StepError(f"{task[0].scan}: unexpected {error!r}. {again}")


def kept_or_measured(judge: Judge, task: Task, say: Callable[[str], None]) -> EvaluatedCase:
    """Take what an earlier run measured of the same files with the same choices, or measure and keep it."""
    case, kept = task
    figures = kept.read()
    if figures is None:
        measured = measure(case, judge, say)
        kept.write(measured)
        figures = measured.figures
    return figures


def _figures(tried: EvaluatedCase | MedunsupError | None, case: Case) -> EvaluatedCase:
    if tried is None:
        raise StepError(
            f"{case.scan}: its process was ended from outside, perhaps for lack of memory. "
            f"What was measured is kept: run again with fewer {option('jobs')}."
        )
    if isinstance(tried, MedunsupError):
        raise tried
    return tried


def _name(case: Case) -> str:
    return case.scan.name if case.subject in case.scan.name else f"{case.subject}, {case.scan.name}"


def _tell(told: Told, stage: Stage, text: str) -> None:
    told(replace(stage, detail=text))
