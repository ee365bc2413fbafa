"""From healthy scans to a model folder, top to bottom: find, split, prepare, learn, write."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.dataset.splits import refuse_twins
from medunsup.cohort.prepare_many import prepare_all, stack
from medunsup.core.errors import MedunsupError, OutputError, ResultThereError, UsageError
from medunsup.core.pace import Pace
from medunsup.core.paths import user_path
from medunsup.core.progress import Stage, Told
from medunsup.core.renamed import renamed
from medunsup.io.bids.names import data_set_id
from medunsup.io.files.atomic import write_json
from medunsup.io.files.hashes import hash_input
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_strangers, remove_empty
from medunsup.io.files.tsv import tsv
from medunsup.workflows.train.consistency import Common, check_alike
from medunsup.workflows.train.fit import TABLE_COLUMNS, Learned, checked, learn
from medunsup.workflows.train.model_card import model_card
from medunsup.workflows.train.model_folder import (
    BASELINE_ARRAYS,
    BASELINE_TABLE,
    CARD,
    DATA_CARD,
    FILES,
    LOCK,
    MANIFEST,
    SCANS,
    TRAINING,
    WEIGHTS,
    ModelFolder,
    arrays_as_bytes,
    read_model,
    write_model,
)
from medunsup.workflows.train.select import REPEAT, Found, find_healthy
from medunsup.workflows.train.settings import TrainSettings

CHECKPOINT, ASKED = "checkpoint.bin", "asked.json"
WORK = ".work"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainRequest:
    """One model to train: from which scans, into which folder.

    `mask` is a pattern for brain masks, `cache` keeps prepared scans, `card` describes the data set,
    `healthy` says which words of which column mean healthy where they are not known.
    """

    settings: TrainSettings
    data: Path
    out: Path
    mask: str | None = None
    cache: Path | None = None
    card: Path | None = None
    jobs: int = 1
    resume: bool = False
    force: bool = False
    healthy: HealthyWords | None = None


def train(
    model: str,
    data: str | Path,
    out: str | Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    mask: str | None = None,
    healthy: str | None = None,
    cache: str | Path | None = None,
    card: str | Path | None = None,
    jobs: int = 1,
    resume: bool = False,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> ModelFolder:
    """Learn what healthy scans look like, and write a model folder.

    Scans are found, split by subject into training, validation and calibration, prepared on the template
    grid, learned from, and the thresholds are calibrated. A training that was ended goes on with `resume`.

    Parameters
    ----------
    model : str
        Name of a model; `medunsup.methods('anomaly')` lists them.
    data : str or Path
        Healthy scans: a folder of images, a BIDS data set, or a table (TSV) with a column scan and, if known,
        mask, subject, site, group, lesions and part.
    out : str or Path
        Folder for the model.
    parameters : dict, optional
        Parameters of the model by name; the fields of its `Config`.
    mask : str, optional
        Brain masks: a path with {folder}, {stem} and {id} filled in from each scan's path.
    healthy : str, optional
        Which words of which column mean healthy, where they are not known: 'diagnosis=HC,sibling'.
    cache : str or Path, optional
        Folder that keeps prepared scans; by default 'prepared' beside `out`.
    card : str or Path, optional
        Data card (Markdown) of the scans, kept beside the model.
    jobs : int, 1 or more, default 1
        Scans that are prepared at the same time, each in a process of its own.
    resume : bool, default False
        Go on with a training that was ended, from its last checkpoint.
    force : bool, default False
        Replace a model or an unfinished training that is in `out`.
    progress : callable, optional
        Called with each `Stage`: what is done now, the share of the run that is done, seconds left.
    **choices
        What changes the model, by name:

        - score : str, default 'zscore'. Score; `medunsup.methods('score')` lists them.
        - score_parameters : dict. Parameters of the score; the fields of its `Config`.
        - postprocess : sequence of str, default ('median=3', 'relative=75'). Steps that a map goes through.
        - spacing_mm : float from 0.5 to 8, default 2.0. Voxel spacing in mm of the template grid.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. Weighting of the scans.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'. How masks are found if none is
          given.
        - coordinates : {'auto', 'sform', 'qform'}, default 'auto'. Which of a NIfTI file's two coordinate
          systems to use if they differ.
        - validation : float from 0 to 1, default 0.1. Share of the subjects that decide when to stop.
        - calibration : float from 0 to 1, default 0.3. Share of the subjects that set the thresholds.
        - least_part_mm3 : float, default 50.0. Smallest connected component that is counted, in mm³.
        - seed : int, 0 or more, default 0. Seed of the split of subjects.

    Returns
    -------
    ModelFolder
        The model, ready for `detect` and `evaluate`.

    Raises
    ------
    UsageError
        If a choice is wrong, or `resume` is asked for with other choices or scans.
    InputError
        If scans cannot be used, are too few, or are not alike.
    ResultThereError
        If `out` holds a model or an unfinished training, and neither `force` nor `resume` is True.
    OutputError
        If `out` holds files of others, or cannot be written.

    Notes
    -----
    With n calibration scans no p-value is below 1 / (n + 1): 19 are needed for 0.05.

    Examples
    --------
    >>> import medunsup
    >>> model = medunsup.train("healthy_atlas", "healthy", "runs/quick", score="deviation", spacing_mm=8.0)
    >>> model.about.model, model.about.contrast
    ('healthy_atlas', 'T1w')
    """
    progress = renamed("told", "progress", choices.pop("told", None), progress)
    settings = TrainSettings.parse({"model": model, "parameters": dict(parameters or {}), **choices}, "train")
    request = TrainRequest(
        settings,
        user_path(data),
        user_path(out),
        mask=mask,
        healthy=None if healthy is None else HealthyWords.parse(healthy),
        cache=None if cache is None else user_path(cache),
        card=None if card is None else user_path(card),
        jobs=jobs,
        resume=resume,
        force=force,
    )
    return train_model(request, progress or (lambda stage: None))


def train_model(request: TrainRequest, told: Told) -> ModelFolder:
    """Do what `train` does, with everything asked for in one object; `told` hears of each stage."""
    settings, out = checked(request.settings), request.out
    request = replace(request, settings=settings)
    data_card = read_card(request.card)
    found = find_healthy(request.data, settings, mask=request.mask, healthy=request.healthy, told=told)
    used = [case for cases in found.parts.values() for case in cases]
    hashes = [hash_input(case.scan) for case in used]
    refuse_twins(used, hashes)
    cache = request.cache or out.parent / "prepared"
    with locked(out / LOCK):
        recover(out, "model")
        check_folder(request, hashes)
        goes_on = request.resume and (out / TRAINING / CHECKPOINT).exists()
        if not goes_on:
            begin(request, hashes)
        common = prepare_alike(request, used, cache, told)
        with work_folder(out / WORK) as work:
            scans = {
                part: stack(cases, settings, cache, work, part)
                for part, cases in found.parts.items()
                if cases
            }
            shape = scans["train"].shape
            learned = learn(
                settings,
                scans,
                out / TRAINING,
                work=work,
                coarsest_mm=common.coarsest_mm,
                resume=goes_on,
                told=told,
            )
        write(request, learned, common, shape, scans_tsv(used, hashes, common.contents), found, data_card)
        for name in (ASKED, CHECKPOINT):  # without the first, nothing is taken for unfinished
            (out / TRAINING / name).unlink(missing_ok=True)
        remove_empty([out / TRAINING])  # only a deep model leaves a log there
    return read_model(out)


def prepare_alike(request: TrainRequest, used: Sequence[Case], cache: Path, told: Told) -> Common:
    """Prepare all scans and see that they are alike; if that fails, no training counts as begun."""
    try:
        told(Stage("preparing scans"))
        pace = Pace(len(used))
        for n, of in prepare_all(used, request.settings, cache, jobs=request.jobs):
            told(Stage(f"preparing scans, {n} of {of}", n / of, pace.done()))
        return check_alike(used, request.settings, cache)
    except MedunsupError:
        if not (request.out / TRAINING / CHECKPOINT).exists():
            shutil.rmtree(request.out / TRAINING, ignore_errors=True)
        raise


def read_card(path: Path | None) -> str | None:
    """Read the data card, if one is given. Raises UsageError if it cannot be read as text."""
    try:
        return path.read_text(encoding="utf-8") if path else None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"{path}: cannot be read as a data card ({why}). Give a Markdown file.") from error


def check_folder(request: TrainRequest, hashes: Sequence[str]) -> None:
    """See that a training may begin in the folder, or that it is this one that goes on.

    Raises OutputError if it holds files of others, or a model or an unfinished training and neither `force`
    nor `resume` is set, or with `resume` a finished model; UsageError if what is to go on had other choices
    or scans, or if the model would replace what it is made from.
    """
    folder, read = request.out / TRAINING, (request.data, request.card)
    refuse_strangers(request.out, FILES, MANIFEST, read=read, force=request.force)
    if request.resume:
        _check_same(folder, _asked(request, hashes))
    elif not request.force:
        refuse_overwrite(request.out, folder / CHECKPOINT)


def begin(request: TrainRequest, hashes: Sequence[str]) -> None:
    """Clear what an earlier training left, and note what this one was asked for."""
    folder = request.out / TRAINING
    if request.resume:
        there = "stopped before any checkpoint" if folder.exists() else "holds no training to go on with"
        log.warning("%s: %s; begins anew, with the same seed.", request.out, there)
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / ASKED, _asked(request, hashes))


def refuse_overwrite(out: Path, checkpoint: Path) -> None:
    """Raise ResultThereError if the folder holds a model or an unfinished training."""
    if (out / MANIFEST).exists():
        raise ResultThereError(
            f"{out}: holds a model. Pass --force to replace it, or choose another folder with -o."
        )
    if checkpoint.exists():
        raise ResultThereError(
            f"{out}: holds a training that is not finished. Go on with --resume, or begin anew with --force."
        )


def write(
    request: TrainRequest,
    learned: Learned,
    common: Common,
    shape: tuple[int, int, int, int],
    scans: str,
    found: Found,
    data_card: str | None,
) -> None:
    """Write the model folder, all of it or nothing."""
    facts = {
        "Contrast": common.contrast,
        "Shape": list(shape),
        "CoarsestMM": common.coarsest_mm,
        "HealthyBy": dict(found.healthy_by),
        "LeftOut": dict(found.left_out),
        "PatientsLeftOut": found.n_patients,
        "RepeatedCalibrationScansLeftOut": found.left_out.get(REPEAT, 0),
        "Check": learned.check,
    }
    files: dict[str, str | bytes] = {
        WEIGHTS: arrays_as_bytes(learned.arrays),
        BASELINE_ARRAYS: arrays_as_bytes(learned.baselines),
        BASELINE_TABLE: tsv([TABLE_COLUMNS, *learned.table]),
        SCANS: scans,
        CARD: model_card(request.settings, facts, scans, learned.table, data_card=data_card),
    }
    if data_card is not None:
        files[DATA_CARD] = data_card
    write_model(request.out, request.settings, files, facts)


def scans_tsv(cases: Sequence[Case], hashes: Sequence[str], contents: Sequence[str]) -> str:
    """List the scans a model has seen, by name and hashes of file, content and data set, without folders."""
    rows: list[Sequence[str]] = [("subject", "part", "scan", "sha256", "site", "prepared_sha256", "data_set")]
    rows += [
        (
            case.subject,
            case.part,
            case.scan.name,
            value,
            case.site or "n/a",
            content,
            data_set_id(case.scan) or "n/a",
        )
        for case, value, content in zip(cases, hashes, contents, strict=True)
    ]
    return tsv(rows)


@contextmanager
def work_folder(path: Path) -> Iterator[Path]:
    """Hold a folder for files that are not needed afterwards."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _asked(request: TrainRequest, hashes: Sequence[str]) -> dict[str, Any]:
    return {"Settings": request.settings.model_dump(mode="json"), "Scans": list(hashes)}


def _check_same(folder: Path, now: Mapping[str, Any]) -> None:
    asked = folder / ASKED
    if not asked.exists() and not (folder / CHECKPOINT).exists():
        if (folder.parent / MANIFEST).exists():
            raise OutputError(f"{folder}: holds no unfinished training. Leave out --resume.")
        return  # stopped before anything was written
    try:
        before = json.loads(asked.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{asked}: cannot be read. Begin anew with --force.") from error
    if before == now:
        return
    first, second = (_named(each.get("Settings", {})) for each in (before, now))
    changed = [
        f"{key} {first.get(key, 'unset')}, not {second.get(key, 'unset')}"
        for key in first | second
        if first.get(key) != second.get(key)
    ]
    what = "; ".join(changed) or "other scans"
    raise UsageError(
        f"{folder}: this training was begun with {what}. Resume it with the same, or begin anew with --force."
    )


def _named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give each parameter of the model a line of its own beside the other choices."""
    own = {f"parameters.{key}": value for key, value in settings.get("parameters", {}).items()}
    return {key: value for key, value in settings.items() if key != "parameters"} | own
