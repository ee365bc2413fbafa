"""How well a model finds lesions, beside every baseline: from a table of cases to tables and a page."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import medunsup
from medunsup.core.errors import InputError, OutputError
from medunsup.core.paths import user_path
from medunsup.evaluate.case_figures import CaseFigures
from medunsup.evaluate.comparison import Figures, gather
from medunsup.io.atomic import write_json
from medunsup.run.evaluate_case import Judge, measure
from medunsup.run.lock import locked
from medunsup.run.model_folder import LOCK, MANIFEST, ModelFolder, read_arrays, read_model
from medunsup.run.prepare import key
from medunsup.run.prepare_many import request_of
from medunsup.run.provenance import plain
from medunsup.run.request import hash_input
from medunsup.run.sources import Case, read_source

RECIPE = 1  # counts up when the same case comes out otherwise, so that what was kept is not taken again
RESULT = "evaluation.json"
CASES = "cases"
BASELINES = "baselines.safetensors"

Told = Callable[[Path, str], None]


@dataclass(frozen=True)
class Evaluation:
    """What was measured: `figures` over all cases, and each case's own, in the table's order."""

    folder: Path
    model: str
    figures: Figures
    cases: tuple[CaseFigures, ...]


def evaluate(
    model: str | Path,
    cases: str | Path,
    out: str | Path,
    *,
    baselines: bool = True,
    false_parts: float = 1.0,
    cache: str | Path | None = None,
    force: bool = False,
    told: Told | None = None,
) -> Evaluation:
    """Measure a model folder on a table of cases, beside cheap baselines; write tables and a page into `out`.

    The table (TSV) has the columns scan, lesions (a mask on the scan's own grid; empty: healthy), and if
    wanted mask, subject, site, group and part, of which only "test" is taken. Figures are of voxels in the
    scan's own grid inside its brain mask. The healthy threshold allows `false_parts` false findings a
    healthy scan, by the model's calibration. One case is in memory at a time and is kept once measured, so a
    run that was ended goes on where it was. `cache` keeps prepared scans.

    Raises InputError for files that cannot be used or scans the model has seen, OutputError if `out` holds an
    evaluation and `force` is not given.
    """
    folder, table = user_path(out), user_path(cases)
    judged = read_model(user_path(model))
    chosen = unseen(judged, [case for case in read_source(table) if case.part in ("", "test")], table)
    with locked(folder / LOCK):
        if (folder / RESULT).exists() and not force:
            raise OutputError(
                f"{folder}: holds an evaluation. Pass --force to replace it, or choose another -o."
            )
        judge = Judge(
            model=judged,
            baselines=fitted_baselines(judged) if baselines else None,
            threshold=judged.healthy.calibration.part_threshold(false_parts),
            cache=folder / "prepared" if cache is None else user_path(cache),
        )
        measured = [kept_or_measured(case, judge, folder / CASES, told or _silent) for case in chosen]
        return Evaluation(folder, judged.settings.model, gather(measured), tuple(measured))


def unseen(model: ModelFolder, cases: Sequence[Case], table: Path) -> list[Case]:
    """Return the cases. Raises InputError if there is none, or if the model has seen one of them."""
    if not cases:
        raise InputError(f"{table}: names no case of the part test. Leave the column part out to take all.")
    for case in cases:
        part = model.hashes.get(hash_input(case.scan))
        if part is not None:
            raise InputError(
                f"{case.scan}: the model has seen this scan ({part}). Evaluate on scans it does not know."
            )
    return list(cases)


def fitted_baselines(model: ModelFolder) -> Any:
    """Read the baselines fitted on the model's training scans; without them, those that learn nothing."""
    from medunsup.anomaly.baselines import Baselines

    path = model.path / BASELINES
    return Baselines().load_state(read_arrays(path), model.shape) if path.is_file() else Baselines()


def kept_or_measured(case: Case, judge: Judge, folder: Path, told: Told) -> CaseFigures:
    """Take what an earlier run measured of the same files with the same choices, or measure and keep it."""
    path = folder / f"{case_key(case, judge)}.json"
    try:
        return CaseFigures.of_record(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        figures = measure(case, judge, lambda text: told(case.scan, text))
        write_json(path, plain(figures.as_record()))
        return figures


def case_key(case: Case, judge: Judge) -> str:
    """Name what a case's figures depend on: files, model, baselines, threshold, version."""
    asked = {
        "recipe": RECIPE,
        "version": medunsup.__version__,
        "prepared": key(request_of(case, judge.model.settings), judge.model.settings.spacing_mm),
        "lesions": hash_input(case.lesions) if case.lesions else None,
        "who": [case.scan.name, case.subject, case.site, case.group],
        "model": hash_input(judge.model.path / MANIFEST),
        "baselines": sorted(judge.baselines.scores_) if judge.baselines else [],
        "threshold": judge.threshold,
    }
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _silent(scan: Path, text: str) -> None:
    """Say nothing."""
