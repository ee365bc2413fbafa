"""From healthy scans to a model folder, top to bottom: find, split, prepare, learn, write."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.training.folder import TrainingFolder, asked_for
from medunsup.cohort.training.prepare import prepare_alike, stack_splits
from medunsup.cohort.training.select import hash_scans
from medunsup.core.errors import MedunsupError
from medunsup.core.paths import user_path
from medunsup.core.progress import Told
from medunsup.core.renamed import takes_old_names
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.workflows.train.encoder import given_encoder
from medunsup.workflows.train.fit import checked, learn
from medunsup.workflows.train.model_folder import FILES, LOCK, MANIFEST, ModelFolder, read_model
from medunsup.workflows.train.request import TrainRequest
from medunsup.workflows.train.save import save
from medunsup.workflows.train.select import find_healthy
from medunsup.workflows.train.settings import TrainSettings


@takes_old_names(told="progress", least_part_mm3="min_cluster_mm3")
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
    encoder: str | Path | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
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
        mask, subject, site, group, lesions and split.
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
    encoder : str or Path, optional
        Folder that `pretrain` made, for a model that rebuilds an encoder's features (`feature_ae`). The model
        keeps a copy, and takes dims and spacing from it unless they are given.
    jobs : int, 1 or more, default 1
        Scans that are prepared at the same time, each in a process of its own.
    executor : Executor, optional
        Where scans are prepared, from `medunsup.executor`; it wins over `jobs`. The folder of prepared scans
        must be seen from there.
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
        - min_cluster_mm3 : float, default 50.0. Smallest connected component that is counted, in mm³.
        - seed : int, 0 or more, default 0. Seed of the split of subjects.

    Returns
    -------
    ModelFolder
        The model, ready for `detect` and `evaluate`.

    Raises
    ------
    UsageError
        If a choice is wrong, the encoder does not fit, or `resume` is asked for with other choices or scans.
    InputError
        If scans cannot be used, are too few, are not alike, or have another contrast than the encoder's.
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
    settings = TrainSettings.parse({"model": model, "parameters": dict(parameters or {}), **choices}, "train")
    request = TrainRequest(
        settings,
        user_path(data),
        user_path(out),
        mask=mask,
        healthy=None if healthy is None else HealthyWords.parse(healthy),
        cache=None if cache is None else user_path(cache),
        card=None if card is None else user_path(card),
        encoder=None if encoder is None else user_path(encoder),
        jobs=jobs,
        resume=resume,
        force=force,
        executor=executor,
    )
    return train_model(request, progress or (lambda stage: None))


def train_model(request: TrainRequest, told: Told) -> ModelFolder:
    """Do what `train` does, with everything asked for in one object; `told` hears of each stage."""
    request.where.prepare([])  # what cannot be used is told before anything is read
    encoder = given_encoder(request.encoder)
    settings = request.settings if encoder is None else encoder.settled(request.settings)
    request = replace(request, settings=checked(settings))
    data_card = request.data_card()
    found = find_healthy(
        request.data, request.settings, mask=request.mask, healthy=request.healthy, told=told
    )
    hashes = hash_scans(found.cases)
    with locked(request.out / LOCK):
        recover(request.out, "model")
        refuse_foreign_files(
            request.out, FILES, MANIFEST, read=(request.data, request.card), force=request.force
        )
        folder = TrainingFolder(request.out, request.how)
        goes_on = folder.open(asked_for(request.settings, hashes))
        try:
            common = prepare_alike(
                found.cases, request.settings, request.prepared, executor=request.where, told=told
            )
            if encoder is not None:
                encoder.refuse_other(common)
        except MedunsupError:
            folder.forget()
            raise
        with folder.work() as work:
            learned = learn(
                request.settings,
                stack_splits(found.splits, request.settings, request.prepared, work),
                folder.checkpoints,
                work=work,
                coarsest_mm=common.coarsest_mm,
                resume=goes_on,
                told=told,
                network=None if encoder is None else encoder.network,
            )
        save(request, found, hashes, common, learned, data_card, encoder)
        folder.finish()
    return read_model(request.out)
