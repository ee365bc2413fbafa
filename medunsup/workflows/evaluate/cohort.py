"""Measure the cases of an evaluation, one after the other or several at a time in processes of their own."""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.executors.processes import run_all
from medunsup.cohort.prepare import key
from medunsup.cohort.prepare_many import request_of
from medunsup.core.errors import MedunsupError, StepError
from medunsup.core.pace import Pace
from medunsup.core.progress import Stage, Told
from medunsup.core.provenance import plain
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_json
from medunsup.io.files.hashes import hash_input
from medunsup.metrics.case_figures import CaseFigures
from medunsup.workflows.evaluate.case import Judge, measure
from medunsup.workflows.train.model_folder import MANIFEST

RECIPE = 7  # counts up when the same case comes out otherwise, so that what was kept is not taken again


def measure_all(
    cases: Sequence[Case], judge: Judge, folder: Path, told: Told, *, jobs: int = 1
) -> list[CaseFigures]:
    """Measure all cases, `jobs` at a time, and return their figures in the order of the cases.

    `told` hears of each step, with an estimate of the time left. Raises the first error of a case.
    """
    if jobs > 1 and len(cases) > 1:
        return _in_processes(cases, judge, folder, told, jobs)
    measured: list[CaseFigures] = []
    pace, seconds_left = Pace(len(cases)), None
    for n, case in enumerate(cases):
        stage = Stage(f"{_name(case)} ({n + 1} of {len(cases)})", n / len(cases), seconds_left)
        measured.append(kept_or_measured(case, judge, folder, partial(_tell, told, stage)))
        seconds_left = pace.done()
    return measured


def _in_processes(
    cases: Sequence[Case], judge: Judge, folder: Path, told: Told, jobs: int
) -> list[CaseFigures]:
    measured: dict[int, CaseFigures] = {}
    pace, stage = Pace(len(cases)), Stage(f"measuring {len(cases)} cases, {jobs} at a time")

    def say(index: int, text: str) -> None:
        told(replace(stage, detail=f"{_name(cases[index])}: {text}"))

    with closing(run_all(partial(do_case, judge, folder), cases, jobs, say)) as results:
        for index, tried in results:
            measured[index] = _figures(tried, cases[index])
            share, what = len(measured) / len(cases), f"{len(measured)} of {len(cases)} cases measured"
            stage = Stage(what, share, pace.done())
            told(stage)
    return [measured[n] for n in range(len(cases))]


def do_case(
    judge: Judge, folder: Path, case: Case, say: Callable[[str], None]
) -> CaseFigures | MedunsupError:
    """Measure one case; its error comes back as a value, which keeps its type between processes."""
    try:
        return kept_or_measured(case, judge, folder, say)
    except MedunsupError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a defect of ours is no process that was ended from outside
        return StepError(f"{case.scan}: unexpected {error!r}. --jobs 1 --debug shows where.")


def _figures(tried: CaseFigures | MedunsupError | None, case: Case) -> CaseFigures:
    if tried is None:
        raise StepError(
            f"{case.scan}: its process was ended from outside, perhaps for lack of memory. "
            "What was measured is kept: run again with fewer --jobs."
        )
    if isinstance(tried, MedunsupError):
        raise tried
    return tried


def kept_or_measured(case: Case, judge: Judge, folder: Path, say: Callable[[str], None]) -> CaseFigures:
    """Take what an earlier run measured of the same files with the same choices, or measure and keep it."""
    path = folder / f"{case_key(case, judge)}.json"
    try:
        return CaseFigures.of_record(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        figures = measure(case, judge, say)
        write_json(path, plain(figures.as_record()))
        return figures


def case_key(case: Case, judge: Judge) -> str:
    """Name what a case's figures depend on: files, model, baselines, threshold, version."""
    asked = {
        "recipe": RECIPE,
        "version": __version__,
        "prepared": key(request_of(case, judge.settings), judge.settings.spacing_mm),
        "lesions": hash_input(case.lesions) if case.lesions else None,
        "who": [case.scan.name, case.subject, case.site, case.group],
        "model": hash_input(judge.model.path / MANIFEST),
        "baselines": sorted(judge.baselines.scores_) if judge.baselines else [],
        "threshold": judge.threshold,
    }
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _name(case: Case) -> str:
    return case.scan.name if case.subject in case.scan.name else f"{case.subject}, {case.scan.name}"


def _tell(told: Told, stage: Stage, text: str) -> None:
    told(replace(stage, detail=text))
