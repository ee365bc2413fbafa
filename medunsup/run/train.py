"""From healthy scans to a model folder, top to bottom: find, split, prepare, learn, calibrate, write."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.core.errors import InputError, OutputError, UsageError
from medunsup.core.paths import user_path
from medunsup.run import model_folder
from medunsup.run.detect_settings import TrainSettings
from medunsup.run.lock import locked
from medunsup.run.model_folder import ModelFolder, read_model, write_model
from medunsup.run.prepare_many import prepare_all, prepared, stack
from medunsup.run.request import hash_input
from medunsup.run.sources import Case, Part, only_healthy, read_source, refuse_twins, split
from medunsup.run.staging import recover
from medunsup.run.tables import tsv

CHECKPOINT = "checkpoint.bin"
WORK = ".work"
SPACING_RATIO = 2.0


@dataclass(frozen=True)
class Stage:
    """Where a training stands: what is done now, how much of it (0 to 1), seconds left if known."""

    what: str
    share: float = 0.0
    seconds_left: float | None = None


Told = Callable[[Stage], None]


def train(
    model: str,
    data: str | Path,
    out: str | Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    mask: str | None = None,
    jobs: int = 1,
    cache: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    told: Told | None = None,
    **choices: Any,
) -> ModelFolder:
    """Learn what healthy scans look like, and write a model folder.

    `data` is a table, a folder or a BIDS data set (see `run.sources`); `parameters` are the model's own,
    `choices` the fields of `TrainSettings` (score, postprocess, spacing_mm, contrast, ...); `mask` is a
    pattern for brain masks, `cache` keeps prepared scans (by default `prepared` beside `out`).

    Raises UsageError for a wrong choice, InputError for scans that cannot be used or are too few, OutputError
    if `out` holds a model already.

    Examples
    --------
    >>> medunsup.train("pca", "healthy.tsv", "runs/pca")  # doctest: +SKIP
    """
    settings = TrainSettings.parse({"model": model, "parameters": dict(parameters or {}), **choices}, "train")
    return train_model(
        settings,
        user_path(data),
        user_path(out),
        mask=mask,
        jobs=jobs,
        cache=None if cache is None else user_path(cache),
        resume=resume,
        force=force,
        told=told or (lambda stage: None),
    )


def train_model(
    settings: TrainSettings,
    data: Path,
    out: Path,
    *,
    mask: str | None,
    jobs: int,
    cache: Path | None,
    resume: bool,
    force: bool,
    told: Told,
) -> ModelFolder:
    """Do what `train` does, with all choices in one object."""
    check_choices(settings)
    named = None if settings.contrast == "auto" else settings.contrast
    healthy, patients = only_healthy(read_source(data, contrast=named, mask=mask))
    parts = split(
        healthy, validation=settings.validation, calibration=settings.calibration, seed=settings.seed
    )
    used = [case for cases in parts.values() for case in cases]
    hashes = [hash_input(case.scan) for case in used]
    refuse_twins(used, hashes)
    kept = cache or out.parent / "prepared"
    with locked(out / model_folder.LOCK):
        recover(out, "model")
        refuse_overwrite(out, resume=resume, force=force)
        told(Stage("preparing scans"))
        prepare_all(
            used, settings, kept, jobs=jobs, done=lambda n, of: told(Stage("preparing scans", n / of))
        )
        contrast = check_alike(used, settings, kept)
        with work_folder(out / WORK) as work:
            scans = {part: stack(cases, settings, kept, work, part) for part, cases in parts.items()}
            arrays = learn(settings, scans, out, resume=resume, told=told)
        write_model(
            out,
            settings=settings,
            shape=scans["train"].shape,
            contrast=contrast,
            arrays=arrays,
            texts={model_folder.SCANS: scans_tsv(used, hashes)},
            facts={"Patients left out": len(patients)},
        )
        (out / CHECKPOINT).unlink(missing_ok=True)
    return read_model(out)


def learn(settings: TrainSettings, scans: Mapping[Part, Any], out: Path, *, resume: bool, told: Told) -> Any:
    """Fit model and score, calibrate, and return all arrays by name."""
    from medunsup.anomaly.build import build_model, build_score
    from medunsup.anomaly.healthy_model import HealthyModel, calibrated

    model = build_model(settings.model, settings.parameters)
    score = build_score(settings.score, settings.score_parameters, model=model)
    told(Stage("learning"))
    model.fit(
        scans["train"],
        validation=scans["validation"],
        training=training_of(model, out, resume=resume, told=told),
    )
    told(Stage("scoring"))
    score.fit(model, scans["train"])
    told(Stage("calibrating"))
    calibration = calibrated(
        model,
        score,
        settings.postprocess,
        scans["calibration"],
        spacing_mm=settings.spacing_mm,
        least_part_mm3=settings.least_part_mm3,
    )
    fitted = HealthyModel(
        model, score, settings.postprocess, scans["train"].shape, settings.spacing_mm, calibration
    )
    return fitted.state()


def training_of(model: Any, out: Path, *, resume: bool, told: Told) -> Any:
    """Say where a deep model's checkpoints lie and who hears of its progress; None for a classic one."""
    if "epochs" not in type(model.config).model_fields:
        return None
    from medunsup.train.loop import Training

    def tell(progress: Any) -> None:
        what = f"epoch {progress.epoch} of {progress.epochs}"
        told(Stage(what, progress.step / progress.steps, progress.seconds_left))

    return Training(folder=out, resume=resume, tell=tell)


def check_choices(settings: TrainSettings) -> None:
    """Raise UsageError for a model, score, step or parameter that does not exist or does not fit."""
    from medunsup.anomaly.build import build_model, build_score
    from medunsup.anomaly.postprocess import check_steps

    model = build_model(settings.model, settings.parameters)
    score = build_score(settings.score, settings.score_parameters, model=model)
    if not score.makes_map:
        raise UsageError(f"The score {settings.score} makes no map of a scan. Choose one that does.")
    check_steps(settings.postprocess)


def refuse_overwrite(out: Path, *, resume: bool, force: bool) -> None:
    """Raise OutputError if the folder holds a model or an unfinished training; `force` clears the latter."""
    model, checkpoint = out / model_folder.MANIFEST, out / CHECKPOINT
    if force and not resume:
        checkpoint.unlink(missing_ok=True)
    elif model.exists():
        raise OutputError(
            f"{out}: holds a model. Pass --force to replace it, or choose another folder with -o."
        )
    elif checkpoint.exists() and not resume:
        raise OutputError(
            f"{out}: holds a training that is not finished. Go on with --resume, or begin anew with --force."
        )
    if resume and not checkpoint.exists():
        raise OutputError(f"{out}: holds no unfinished training. Leave out --resume.")


def check_alike(cases: Sequence[Case], settings: TrainSettings, cache: Path) -> str:
    """Return the contrast all scans share; scans of one content under two names are refused.

    Raises InputError naming those of another contrast, or with voxels twice as coarse or fine as the others.
    """
    made = [prepared(case, settings, cache) for case in cases]
    contrasts = [one.contrast for one in made]
    common = max(sorted(set(contrasts)), key=contrasts.count)
    odd = [case.scan.name for case, contrast in zip(cases, contrasts, strict=True) if contrast != common]
    if odd:
        raise InputError(
            f"Most scans are {common}, but not {_few(odd)}. Train on one contrast, or say which all have "
            "with --contrast."
        )
    coarsest = np.array([max(one.facts["spacing_mm"]) for one in made])
    usual = float(np.median(coarsest))
    is_odd = (coarsest > SPACING_RATIO * usual) | (coarsest < usual / SPACING_RATIO)
    if is_odd.any():
        names = [case.scan.name for case, found in zip(cases, is_odd, strict=True) if found]
        raise InputError(
            f"Most scans have voxels of up to {usual:.1f} mm, but {_few(names)} of "
            f"{coarsest[is_odd].min():.1f} to {coarsest[is_odd].max():.1f} mm. Train on scans alike."
        )
    return common


def scans_tsv(cases: Sequence[Case], hashes: Sequence[str]) -> str:
    """List the scans a model has seen, by name and hash, without their folders."""
    rows: list[Sequence[str]] = [("subject", "part", "scan", "sha256", "site")]
    rows += [
        (case.subject, case.part, case.scan.name, value, case.site or "n/a")
        for case, value in zip(cases, hashes, strict=True)
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


def _few(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
