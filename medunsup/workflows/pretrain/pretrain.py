"""From scans or images without labels to an encoder folder: find, split, prepare, learn, write."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.folder import (
    CURVE,
    DECODER,
    FILES,
    FINGERPRINTS,
    LOCK,
    MANIFEST,
    PAGE,
    SCANS,
    WEIGHTS,
    EncoderFolder,
    Seen,
    read_encoder,
    write_encoder,
)
from medunsup.cohort.encoders.manifest import EncoderManifest, Network
from medunsup.cohort.encoders.overlap import fingerprints
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.training.folder import TrainingFolder, asked_for
from medunsup.core.errors import MedunsupError
from medunsup.core.paths import user_path
from medunsup.core.progress import Told
from medunsup.io.files.artifact_folder import arrays_as_bytes
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.io.files.tsv import tsv
from medunsup.workflows.pretrain.data import Found, Ready, find
from medunsup.workflows.pretrain.learn import (
    Curve,
    Learned,
    build,
    check_covariates,
    learn,
)
from medunsup.workflows.pretrain.report import drawn_page
from medunsup.workflows.pretrain.request import PretrainRequest
from medunsup.workflows.pretrain.settings import PretrainSettings
from medunsup.workflows.pretrain.targets import with_targets


def pretrain(
    method: str,
    data: str | Path,
    out: str | Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    mask: str | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> EncoderFolder:
    """Pretrain an encoder on scans or images without labels, and write an encoder folder.

    Scans are found, split by subject into training and validation, prepared on the template grid and learned
    from; nobody needs to be healthy. A pretraining that was ended goes on with `resume`.

    Parameters
    ----------
    method : str
        Name of a method; `medunsup.methods('selfsupervised')` lists them.
    data : str or Path
        Scans: a folder of images, a BIDS data set, or a table (TSV) with a column scan and, if known, mask,
        subject and split. Or a .npz file with train_images and, if there are, val_images, as MedMNIST has it.
    out : str or Path
        Folder for the encoder.
    parameters : dict, optional
        Parameters of the method by name; the fields of its `Config`.
    mask : str, optional
        Brain masks: a path with {folder}, {stem} and {id} filled in from each scan's path.
    cache : str or Path, optional
        Folder that keeps prepared scans; by default 'prepared' beside `out`.
    jobs : int, 1 or more, default 1
        Scans that are prepared at the same time, each in a process of its own.
    executor : Executor, optional
        Where scans are prepared, from `medunsup.executor`; it wins over `jobs`. The folder of prepared scans
        must be seen from there.
    resume : bool, default False
        Go on with a pretraining that was ended, from its last checkpoint.
    force : bool, default False
        Replace an encoder or an unfinished pretraining that is in `out`.
    progress : callable, optional
        Called with each `Stage`: what is done now, the share of the run that is done, seconds left.
    **choices
        What changes the encoder, by name:

        - spacing_mm : float from 0.5 to 8, default 2.0. Voxel spacing in mm of the template grid.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. Weighting of the scans.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'. How masks are found if none is
          given.
        - coordinates : {'auto', 'sform', 'qform'}, default 'auto'. Which of a NIfTI file's two coordinate
          systems to use if they differ.
        - validation : float from 0 to 1, default 0.1. Share of the subjects that are only measured on.
        - covariates : tuple of str, default (). Columns of numbers, such as age, that `y_aware` goes by: of
          the table, of participants.tsv in the folder, or arrays `train_age`, `val_age` of the .npz file.
        - seed : int, 0 or more, default 0. Seed of the split and, unless the parameters have one, of the
          method.

    Returns
    -------
    EncoderFolder
        The encoder; `medunsup.Encoder.load(out)` puts it to use.

    Raises
    ------
    UsageError
        If a choice is wrong, or `resume` is asked for with other choices or scans.
    InputError
        If scans or images cannot be used, are too few, or are not alike.
    ResultThereError
        If `out` holds an encoder or an unfinished pretraining, and neither `force` nor `resume` is True.
    OutputError
        If `out` holds files of others, or cannot be written.

    Notes
    -----
    The weights kept are those of the last epoch, as a pretext loss says little of how useful features are;
    the parameter `keep="label_free"` keeps those of the epoch with the highest RankMe. `report.html` in the
    folder shows how the training went. Labels in a .npz file are shown there and looked at for nothing else.

    Examples
    --------
    >>> import medunsup
    >>> sizes = {"epochs": 1, "batch_size": 4}
    >>> made = medunsup.pretrain("autoencoder", "healthy", "runs/ae", parameters=sizes, spacing_mm=8.0)
    >>> made.manifest.method, made.manifest.preprocessing.contrast
    ('autoencoder', 'T1w')
    """
    settings = PretrainSettings.parse(
        {"method": method, "parameters": dict(parameters or {}), **choices}, "pretrain"
    )
    request = PretrainRequest(
        settings,
        user_path(data),
        user_path(out),
        mask=mask,
        cache=None if cache is None else user_path(cache),
        jobs=jobs,
        resume=resume,
        force=force,
        executor=executor,
    )
    return pretrain_encoder(request, progress or (lambda stage: None))


def pretrain_encoder(request: PretrainRequest, told: Told) -> EncoderFolder:
    """Do what `pretrain` does, with everything asked for in one object; `told` hears of each stage."""
    settings = request.settings
    build(settings)  # a wrong choice is told before any file is read
    check_covariates(settings)
    found = find(request, told)
    with locked(request.out / LOCK):
        recover(request.out, "encoder")
        refuse_foreign_files(request.out, FILES, MANIFEST, read=(request.data,), force=request.force)
        folder = TrainingFolder(request.out, request.how, manifest=MANIFEST, kind="an encoder")
        goes_on = folder.open(asked_for(settings, found.hashes))
        with folder.work() as work:
            try:
                ready = found.ready(request, work, told)
                ready = with_targets(ready, settings, work, request.prepared, told)
            except MedunsupError:
                folder.forget()
                raise
            learned = learn(settings, ready.scans, folder.checkpoints, resume=goes_on, told=told)
            about = _manifest(settings, found, ready, learned)
            files = _files(ready, learned)
            if page := drawn_page(about, ready, learned, told):
                files[PAGE] = page
        write_encoder(request.out, about, files)
        folder.finish()
    return read_encoder(request.out)


def _manifest(settings: PretrainSettings, found: Found, ready: Ready, learned: Learned) -> EncoderManifest:
    config = build(settings).config
    last = {name: value for name, value in learned.curve[-1].items() if name != "epoch"}
    return EncoderManifest(
        method=settings.method,
        parameters=config.model_dump(mode="json"),
        network=Network(
            name=config.encoder,
            parameters=learned.network,
            dims=config.dims,
            channels=ready.preprocessing.shape[0],
            n_features=learned.n_features,
        ),
        preprocessing=ready.preprocessing,
        scans=dict(Counter(one.split for one in ready.seen)),
        left_out=dict(found.left_out),
        epochs=learned.epochs,
        verdict=learned.verdict,
        last=last,
        kept_epoch=learned.kept,
        kept=learned.kept_figures,
    )


def _files(ready: Ready, learned: Learned) -> dict[str, str | bytes]:
    decoder = {} if learned.decoder is None else {DECODER: arrays_as_bytes(learned.decoder)}
    return {
        WEIGHTS: arrays_as_bytes(learned.weights),
        **decoder,
        SCANS: tsv([Seen._fields, *ready.seen]),
        CURVE: _curve_tsv(learned.curve),
        FINGERPRINTS: arrays_as_bytes({"fingerprints": _fingerprints(ready)}),
    }


def _fingerprints(ready: Ready) -> NDArray[np.float16]:
    """Fingerprints in the order of the lines of scans.tsv, split by split."""
    found = [fingerprints(scans.values) for scans in ready.scans.values()]
    return np.concatenate(found).astype(np.float16)


def _curve_tsv(curve: Curve) -> str:
    names = list(dict.fromkeys(name for row in curve for name in row))
    rows = [[_number(row.get(name)) for name in names] for row in curve]
    return tsv([names, *rows])


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.6g}"
