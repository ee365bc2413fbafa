"""How well a model finds lesions, beside every baseline: from a table of cases to tables and a page."""

import json
import logging
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from medunsup.anomaly.evaluation import Evaluation, SyntheticFigures
from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.dataset.sources import Case, read_source, refuse_unfetched
from medunsup.core.errors import InputError, ResultThereError, UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.core.progress import Stage, Told
from medunsup.core.provenance import generated_by, package_versions, plain
from medunsup.core.renamed import takes_old_names
from medunsup.io.files.atomic import write_json, write_text
from medunsup.io.files.hashes import hash_input
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import Staging, recover, refuse_foreign_files
from medunsup.metrics.comparison import gather
from medunsup.workflows.evaluate.cohort import measure_all
from medunsup.workflows.evaluate.judge import Judge
from medunsup.workflows.evaluate.kept import Kept, kept_cases
from medunsup.workflows.evaluate.synthetic import GRID, LesionShapes, measure_synthetic, read_shapes
from medunsup.workflows.evaluate.tables import TABLES, tables
from medunsup.workflows.train.model_folder import LOCK, ModelFolder, read_model

log = logging.getLogger(__name__)

RESULT, PAGE = "evaluation.json", "report.html"
CASES = "cases"


@takes_old_names(
    told="progress",
    planted="synthetic",
    false_parts="fp_per_scan",
    false_findings="fp_per_scan",
)
def evaluate(
    model: str | Path,
    cases: str | Path,
    out: str | Path,
    *,
    baselines: bool = True,
    synthetic: bool = False,
    lesion_shapes: str | Path | None = None,
    fp_per_scan: float = 1.0,
    healthy: str | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    force: bool = False,
    progress: Told | None = None,
) -> Evaluation:
    """Measure a model on scans whose lesions are known, beside baselines; write tables and a page.

    Figures are of the voxels of brain mask and lesions in native space; lesions outside the mask count as
    missed. Each case is kept once measured, so that a run that was ended goes on where it was.

    Parameters
    ----------
    model : str or Path
        A folder that `train` made, or the name of a bundled model.
    cases : str or Path
        Table (TSV) with the columns scan and lesions (a mask on the scan's own grid; empty: healthy), and if
        wanted mask, subject, site, group and split, of which only 'test' is taken.
    out : str or Path
        Folder for tables and page.
    baselines : bool, default True
        Measure the baselines as well.
    synthetic : bool, default False
        Add synthetic lesions (ellipsoids) in the healthy cases.
    lesion_shapes : str or Path, optional
        Folder of lesion masks whose shapes the synthetic lesions take; asks for these as well.
    fp_per_scan : float from 0 to 100, default 1.0
        False positives that a healthy scan may show in the mask, on average (FP/scan). It sets the threshold.
    healthy : str, optional
        Which words of which column mean healthy, where they are not known: 'diagnosis=HC'.
    cache : str or Path, optional
        Folder that keeps prepared scans; by default 'prepared' in `out`.
    jobs : int, 1 or more, default 1
        Cases at the same time, each in a process of its own.
    force : bool, default False
        Replace an evaluation that is in `out`.
    progress : callable, optional
        Called with each `Stage`: what is done now, the share of the run that is done, seconds left.

    Returns
    -------
    Evaluation
        Figures of the model and of each baseline over all cases, and each case's own.

    Raises
    ------
    InputError
        If a file cannot be used, or a scan is in the model's training set.
    GeometryError
        If a lesion mask lies on another grid than its scan.
    UsageError
        If there is no healthy case for synthetic lesions, or `fp_per_scan` is not from 0 to 100.
    ResultThereError
        If `out` holds an evaluation and `force` is False.
    OutputError
        If `out` holds files of others, or cannot be written.

    Notes
    -----
    Average precision is to be read beside the prevalence, which is what chance reaches; AUROC of voxels
    flatters. The best Dice over all thresholds is an oracle: it is chosen with the truth at hand.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.evaluate("runs/atlas", "cases.tsv", "evaluation")
    >>> len(found.cases)
    2
    """
    folder, table, say = user_path(out), user_path(cases), progress or (lambda stage: None)
    shapes = None if lesion_shapes is None else read_shapes(user_path(lesion_shapes))
    synthetic = synthetic or shapes is not None
    judged = read_model(model)
    words = None if healthy is None else HealthyWords.parse(healthy)
    chosen = unseen(judged, known_cases(read_source(table, healthy=words)), table)
    if synthetic and not any(case.is_healthy and case.lesions is None for case in chosen):
        raise UsageError(
            f"{table}: names no healthy case to insert synthetic lesions into (one without lesions)."
        )
    with locked(folder / LOCK):
        recover(folder, "evaluation")
        if (folder / RESULT).exists() and not force:
            raise ResultThereError(
                f"{folder}: holds an evaluation. Pass {option('force', True)} to replace it, "
                f"or choose another with {option('out')}."
            )
        refuse_foreign_files(folder, (*TABLES, PAGE), RESULT, read=[table], force=force)
        judge = Judge(
            model=judged,
            baselines=judged.baselines if baselines else None,
            threshold=judged.healthy.calibration.component_threshold(fp_per_scan),
            cache=folder / "prepared" if cache is None else user_path(cache),
        )
        kept = kept_cases(chosen, judge, folder / CASES)
        measured = measure_all(chosen, kept, judge, say, jobs=jobs)
        result = Evaluation(
            figures=gather(measured),
            cases=tuple(measured),
            about=about(judged),
            threshold=judge.threshold,
            fp_per_scan=fp_per_scan,
            synthetic=kept_or_measured(chosen, kept, judge, say, shapes) if synthetic else None,
        )
        save(result, folder, [one.slices for one in kept])
    return result


def known_cases(cases: Sequence[Case]) -> list[Case]:
    """Return the cases of the test split whose state is known, as it is not in a data set that names none."""
    wanted = [case for case in cases if case.split in ("", "test")]
    known = [case for case in wanted if case.state != "unknown" or case.lesions is not None]
    if len(known) < len(wanted):
        n, why = len(wanted) - len(known), next(case.evidence for case in wanted if case not in known)
        log.warning("%d of %d cases are left out: healthy or not is not known (%s).", n, len(wanted), why)
    refuse_unfetched(known)
    return known


def unseen(model: ModelFolder, cases: Sequence[Case], table: Path) -> list[Case]:
    """Return the cases. Raises InputError if there is none, or if the model has seen one of them."""
    if not cases:
        raise InputError(f"{table}: names no case of the test split. Leave the column split out to take all.")
    seen = model.hashes
    for case in cases:
        split = seen.get(hash_input(case.scan))
        if split is not None:
            raise InputError(
                f"{case.scan}: the model has seen this scan ({split}). Evaluate on scans it does not know."
            )
    return list(cases)


def about(model: ModelFolder) -> dict[str, Any]:
    """Name the model, as the page and the JSON show it."""
    chosen, splits = model.settings, list(model.hashes.values())
    return {
        "model": chosen.model,
        "score": chosen.score,
        "steps": list(chosen.postprocess),
        "contrast": model.contrast,
        "spacing_mm": chosen.spacing_mm,
        "training scans": splits.count("train"),
        "calibration scans": model.healthy.calibration.n,
        "weights": model.weights_sha256,
    }


def kept_or_measured(
    cases: Sequence[Case], kept: Sequence[Kept], judge: Judge, told: Told, shapes: LesionShapes | None
) -> SyntheticFigures:
    """Measure synthetic lesions in the healthy cases, unless a run before did; `kept` is where each lies."""
    named = zip(cases, kept, strict=True)
    healthy = [(case, one) for case, one in named if case.is_healthy and case.lesions is None]
    folder = kept[0].folder
    keys = sorted(one.key for _, one in healthy)
    keys += [repr(GRID), *([] if shapes is None else [shapes.sha256])]
    path = folder / f"synthetic_{sha256(''.join(keys).encode()).hexdigest()[:24]}.json"
    try:
        return SyntheticFigures(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        told(Stage("synthetic lesions in the healthy cases", 1.0))
    work = folder / ".synthetic"
    try:
        found = measure_synthetic([case for case, _ in healthy], judge, work, shapes)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    write_json(path, plain(vars(found)))
    return found


def save(result: Evaluation, folder: Path, slices: Sequence[Path]) -> None:
    """Write tables, page with the cases' `slices`, and evaluation.json, all or none."""
    from medunsup.report.evaluate.page import write_evaluation

    with Staging(folder, "evaluation") as staging:
        for name, text in tables(result).items():
            write_text(staging.place(folder / name), text)
        write_evaluation(result, staging.place(folder / PAGE), slices)
        record = {"GeneratedBy": [generated_by()], **result.as_record(), "Versions": package_versions()}
        write_json(staging.place(folder / RESULT), plain(record))
        staging.publish(last=folder / RESULT)
