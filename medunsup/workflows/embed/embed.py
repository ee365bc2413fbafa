"""From scans or images to one table of features: find, prepare, measure, fit, write."""

import logging
from collections.abc import Mapping, Sequence
from os.path import relpath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.dataset.splits import refuse_duplicates
from medunsup.cohort.encoders.folder import WEIGHTS, EncoderFolder, read_encoder
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.feature_table.formats import check_ending
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.feature_table.write import check_free, write_features
from medunsup.cohort.labelled.alike import before_of, refuse_other_scans
from medunsup.cohort.rehearsal.forecast import Forecast, Foreseen, forecast_cached
from medunsup.cohort.runs.cached import work_into_cache
from medunsup.cohort.training.consistency import Common
from medunsup.core.errors import InputError, OutputError
from medunsup.core.hints import option
from medunsup.core.pace import Pace
from medunsup.core.paths import user_path
from medunsup.core.progress import Stage, Told
from medunsup.core.provenance import generated_by
from medunsup.features.base import Feature
from medunsup.workflows.embed.about import covariates_of, keys_of
from medunsup.workflows.embed.images import check_images_of, embed_images
from medunsup.workflows.embed.learned_images import check_images, images_folder, write_images
from medunsup.workflows.embed.request import EmbedRequest
from medunsup.workflows.embed.row import RowOutcome, RowTask, do_row, feature_input
from medunsup.workflows.embed.rows import find_rows
from medunsup.workflows.embed.settings import EmbedSettings

SHOWN = 3
OF_AN_ENCODER = "feature {n} of the encoder {name}, its mean over the brain"

log = logging.getLogger(__name__)


def embed(
    data: str | Path,
    out: str | Path,
    *,
    features: Sequence[str] | None = None,
    encoder: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    mask: str | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> FeatureTable:
    """Take features of scans or images, and write a table with a row each.

    Scans are found and prepared as `pretrain` does it. One that fails stops no other: it is named, and has no
    row. What is done is kept, so the same call goes on after it was ended.

    Parameters
    ----------
    data : str or Path
        Scans: a folder of images, a BIDS data set, or a table (TSV). Or a .npz file of images as MedMNIST has
        it, with `encoder`.
    out : str or Path
        The table; its name ends in .parquet, .csv or .tsv. A .json file beside it says how each column was
        made.
    features : sequence of str, optional
        Kinds of features; `medunsup.methods('feature')` lists them. Without them and an encoder, volumes and
        intensity.
    encoder : str or Path, optional
        Folder that `pretrain` made, whose features are taken as well. Scans are prepared as it was trained.
    parameters : dict, optional
        Parameters of the kinds by name, such as {"pca.n_components": 5}.
    mask : str, optional
        Brain masks: a path with {folder}, {stem} and {id} filled in from each scan's path.
    cache : str or Path, optional
        Folder that keeps prepared scans and rows; by default 'prepared' beside `out`.
    jobs : int, 1 or more, default 1
        Scans at the same time, each in a process of its own.
    executor : Executor, optional
        Where scans are worked on, from `medunsup.executor`; it wins over `jobs`. The folder of prepared scans
        must be seen from there.
    force : bool, default False
        Replace a table that is there.
    progress : callable, optional
        Called with each `Stage`: what is done now, the share of the run that is done, seconds left.
    **choices
        What changes the preparation, by name:

        - spacing_mm : float from 0.5 to 8. Voxel spacing in mm of the template grid; without it 2.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. Weighting of the scans.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'. How masks are found if none is
          given.
        - coordinates : {'auto', 'sform', 'qform'}, default 'auto'. Which of a NIfTI file's two coordinate
          systems to use if they differ.

    Returns
    -------
    FeatureTable
        The table; its `attributes` name scans that failed, and say how each column was made.

    Raises
    ------
    UsageError
        If a choice is wrong.
    InputError
        If no scan can be used, or scans are of several contrasts.
    ResultThereError
        If `out` is there and `force` is False.
    OutputError
        If it cannot be written.
    DependencyError
        If it is to be a Parquet file and pyarrow is not installed.

    Examples
    --------
    >>> import medunsup
    >>> table = medunsup.embed("healthy", "features.csv", features=["intensity"], spacing_mm=8.0)
    >>> len(table), table.names[0]
    (12, 'intensity/bin001')
    """
    request = make_request(
        data,
        out,
        features=features,
        encoder=encoder,
        parameters=parameters,
        mask=mask,
        cache=cache,
        jobs=jobs,
        executor=executor,
        force=force,
        **choices,
    )
    return make_table(request, progress or (lambda stage: None))


def make_request(
    data: str | Path,
    out: str | Path,
    *,
    features: Sequence[str] | None = None,
    encoder: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    mask: str | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    force: bool = False,
    **choices: Any,
) -> EmbedRequest:
    """Join what `embed` is given in one object. Raises UsageError for a choice that is wrong."""
    kinds = ([] if encoder is not None else None) if features is None else list(features)
    given = {} if kinds is None else {"features": tuple(kinds)}
    settings = EmbedSettings.parse({**given, "parameters": dict(parameters or {}), **choices}, "embed")
    return EmbedRequest(
        settings,
        user_path(data),
        user_path(out),
        encoder=None if encoder is None else user_path(encoder),
        mask=mask,
        cache=None if cache is None else user_path(cache),
        jobs=jobs,
        force=force,
        executor=executor,
    )


def make_table(request: EmbedRequest, told: Told) -> FeatureTable:
    """Do what `embed` does, with everything asked for in one object."""
    kinds, opened = _checked(request)
    if request.is_of_images:
        table = embed_images(request, opened)
    else:
        table = _embed_scans(request, kinds, opened, told)
        write_images(request.out, kinds, table.attributes["spacing_mm"])
    write_features(request.out, table, force=request.force)
    return table


def foresee(request: EmbedRequest, told: Told) -> Forecast:
    """Say what `make_table` would do with each scan; writes nothing. Raises what it raises."""
    kinds, opened = _checked(request)
    if request.is_of_images:
        check_images_of(request, opened)
        return Forecast((Foreseen(request.data, request.out, "new"),))
    rows = find_rows(request, kinds, opened, told)
    return forecast_cached(rows.tasks, request.out, request.prepared, request.where)


def _checked(request: EmbedRequest) -> tuple[dict[str, Feature], EncoderFolder | None]:
    """Return the kinds of features and the encoder. Raises MedunsupError for what cannot be done."""
    check_ending(request.out)
    check_free(request.out, force=request.force)
    kinds = request.settings.kinds()
    check_images(request.out, kinds, force=request.force)
    return kinds, None if request.encoder is None else read_encoder(request.encoder)


def _embed_scans(
    request: EmbedRequest, kinds: Mapping[str, Feature], encoder: EncoderFolder | None, told: Told
) -> FeatureTable:
    request.where.prepare([])  # what cannot be used is told before anything is read
    rows = find_rows(request, kinds, encoder, told)
    cases, tasks, how, left_out = rows.cases, rows.tasks, rows.how, rows.left_out
    outcomes = _work(tasks, request, told)
    done = [n for n, outcome in enumerate(outcomes) if outcome.traits is not None]
    failed = {cases[n].scan.name: str(one.error) for n, one in enumerate(outcomes) if one.traits is None}
    _tell_failed(failed, len(cases), request.data)
    kept = [cases[n] for n in done]
    common = _common(kept, [outcomes[n] for n in done])
    if encoder is not None:
        refuse_other_scans(before_of(encoder), common)
    columns = {
        name: np.stack([outcomes[n].numbers[name] for n in done]) for name in outcomes[done[0]].numbers
    }
    for name, kind in kinds.items():
        if kind.needs_fit:
            told(Stage(f"fitting {name}"))
            columns[name] = _fitted(kind, [tasks[n] for n in done])
    described = {
        f"{name}/{one}": text for name, kind in kinds.items() for one, text in kind.describe().items()
    }
    described |= {} if encoder is None else _of_encoder(encoder)
    keys, covariates = keys_of(kept, request.data), covariates_of(kept, request.data)
    about = {
        "contrast": common.contrast,
        "spacing_mm": how.spacing_mm,
        "reading": how.reading.model_dump(mode="json"),
        "kinds": {name: kind.config.model_dump(mode="json") for name, kind in kinds.items()},
        "images": {name: images_folder(request.out, name).name for name in kinds if kinds[name].needs_fit},
        "encoder": _encoder_record(encoder),
        "prepared": {
            "folder": relpath(request.prepared, request.out.parent),
            "scans": {scan: outcomes[n].prepared for scan, n in zip(keys["scan"], done, strict=True)},
        },
        "left_out": dict(left_out),
        "failed": failed,
        "columns": described,
        "generated_by": generated_by(),
    }
    values = np.hstack([columns[name] for name in (*kinds, *(["encoder"] if encoder else []))])
    return FeatureTable(values, list(described), keys, covariates, about)


def _work(tasks: Sequence[RowTask], request: EmbedRequest, told: Told) -> list[RowOutcome]:
    """Return what became of each scan, in order. Raises OutputError if nothing can be written."""
    found: dict[Path, RowOutcome] = {}
    pace, scans = Pace(len(tasks)), [task.request.path for task in tasks]
    told(Stage("features"))
    for outcome in work_into_cache(tasks, do_row, RowOutcome, request.prepared, request.where):
        if outcome.is_fatal:
            raise OutputError(str(outcome.error))
        found[outcome.scan] = outcome
        told(Stage(f"features, {len(found)} of {len(tasks)}", len(found) / len(tasks), pace.done()))
    return [found[scan] for scan in scans]


def _tell_failed(failed: Mapping[str, str], n: int, data: Path) -> None:
    for error in failed.values():
        log.warning("no features: %s", error)
    if len(failed) == n:
        raise InputError(f"{data}: none of {n} scans can be used. {next(iter(failed.values()))}")


def _common(cases: Sequence[Case], outcomes: Sequence[RowOutcome]) -> Common:
    """Return what all scans share. Raises InputError if there are several, or a scan is there twice."""
    traits = [outcome.traits for outcome in outcomes if outcome.traits is not None]
    contents = tuple(one.content for one in traits)
    refuse_duplicates(cases, contents)
    contrasts = [one.contrast for one in traits]
    common = max(sorted(set(contrasts)), key=contrasts.count)
    odd = [case.scan.name for case, one in zip(cases, contrasts, strict=True) if one != common]
    if odd:
        raise InputError(
            f"Most scans are {common}, but not {', '.join(odd[:SHOWN])}: their features do not compare. Say "
            f"which contrast all have with {option('contrast')}, or leave them out."
        )
    return Common(common, max(one.coarsest_mm for one in traits), contents)


def _fitted(kind: Feature, tasks: Sequence[RowTask]) -> NDArray[np.float64]:
    """Fit a kind on the cohort, and return its numbers of each scan."""
    kind.fit(feature_input(task, tissues=kind.needs_tissues) for task in tasks)
    rows = [kind.transform(feature_input(task, tissues=kind.needs_tissues)) for task in tasks]
    return np.stack(rows)


def _of_encoder(encoder: EncoderFolder) -> dict[str, str]:
    name, n_features = encoder.path.name, encoder.manifest.network.n_features
    return {f"encoder/{n:03d}": OF_AN_ENCODER.format(n=n, name=name) for n in range(1, n_features + 1)}


def _encoder_record(encoder: EncoderFolder | None) -> dict[str, Any]:
    if encoder is None:
        return {}
    return {"method": encoder.manifest.method, "sha256": encoder.manifest.sha256[WEIGHTS]}
