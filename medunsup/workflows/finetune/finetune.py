"""From an encoder and labelled scans to a fine-tuned network: find, split, prepare, learn, test, write."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medunsup.cohort.finetuned.folder import (
    CARD,
    CURVE,
    FILES,
    LOCK,
    MANIFEST,
    PAGE,
    SHARES,
    WEIGHTS,
    FinetunedFolder,
    read_finetuned,
)
from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.cohort.training.folder import TrainingFolder, asked_for
from medunsup.core.errors import MedunsupError
from medunsup.core.paths import user_path
from medunsup.core.progress import Told
from medunsup.io.files.artifact_folder import Arrays, arrays_as_bytes
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.workflows.finetune.card import card_of
from medunsup.workflows.finetune.classification.run import Classify
from medunsup.workflows.finetune.compared import FINETUNED
from medunsup.workflows.finetune.few_labels.given import with_unlabelled
from medunsup.workflows.finetune.few_labels.learned import (
    Learned,
    check_method,
    facts_of,
    with_choice,
    without_choice,
)
from medunsup.workflows.finetune.few_labels.words import watched
from medunsup.workflows.finetune.folder import curve_tsv, shares_tsv, write_finetuned
from medunsup.workflows.finetune.learn import build, check_parameters, read_curve
from medunsup.workflows.finetune.pretrained import Pretrained, read_pretrained
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.segment import Segment
from medunsup.workflows.finetune.settings import FinetuneSettings, Task
from medunsup.workflows.finetune.shares import each_draw, forget_draws, shares_of
from medunsup.workflows.finetune.task import Outcome, TaskRun

TASKS: dict[Task, type[TaskRun]] = {"segment": Segment, "classify": Classify}


def finetune(
    encoder: str | Path | None,
    data: str | Path,
    out: str | Path,
    *,
    weights: str | Path | None = None,
    plan: str | Path | None = None,
    label_table: str | Path | None = None,
    labels: str | Path | None = None,
    column: str | None = None,
    mask: str | None = None,
    unlabelled: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    resume: bool = False,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> FinetunedFolder:
    """Fine-tune a pretrained encoder on labelled scans or images, and say what pretraining has brought.

    Beside it the same network is trained with the encoder frozen and from scratch, on the same batches for as
    many steps. All are tested on subjects that neither has seen, with their last weights. A fine-tuning that
    was ended goes on with `resume`.

    Parameters
    ----------
    encoder : str, Path or None
        Folder that `pretrain` made; None for `weights` that were trained elsewhere.
    data : str or Path
        To segment, a table (TSV) with the columns scan and labels and, if known, mask, subject and split
        (train, test). To classify, a .npz file with train_images, train_labels, test_images and test_labels;
        or scans: a folder, a BIDS data set or a table, whose column split, if there is one, names the test
        split.
    out : str or Path
        Folder for the network, its figures, what it says of the test scans and the page.
    weights : str or Path, optional
        File of weights that were trained elsewhere (.pth, .safetensors).
    plan : str or Path, optional
        Their adaptation_plan.json, ours or that of nnssl, unless the file of weights holds it.
    label_table : str or Path, optional
        BIDS table (TSV) of the names of voxels' labels, with the columns index and name.
    labels : str or Path, optional
        To classify scans, table (TSV or CSV) with a row a subject; n/a leaves one out.
    column : str, optional
        Column of `labels` that is told; not needed where there is but one.
    mask : str, optional
        Brain masks of scans to classify: a path with {folder}, {stem} and {id} filled in from each scan's
        path.
    unlabelled : str or Path, optional
        With `few_labels`, more to learn from without labels: scans as `data`, or a .npz file.
    parameters : dict, optional
        Parameters of the task, or of the method for few labels, by name: steps, batch_size, ...
    cache : str or Path, optional
        Folder that keeps prepared scans; by default 'prepared' beside `out`.
    jobs : int, 1 or more, default 1
        Scans that are prepared at the same time, each in a process of its own.
    resume : bool, default False
        Go on with a fine-tuning that was ended, from its last checkpoint.
    force : bool, default False
        Replace what is in `out`.
    progress : callable, optional
        Called with each `Stage`: what is done now, the share of the run that is done, seconds left.
    **choices
        What changes the network, by name:

        - task : {'segment', 'classify'}, default 'segment'. What is learned: a label for each voxel, or for
          each scan or image.
        - spacing_mm : float from 0.5 to 8, optional. Voxel spacing in mm of the template grid; that of the
          pretraining if not given.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. Weighting of the scans.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'. How masks are found if none is
          given.
        - coordinates : {'auto', 'sform', 'qform'}, default 'auto'. Which of a NIfTI file's two coordinate
          systems to use if they differ.
        - test : float from 0 to 1, default 0.3. Share of the subjects to test on, unless the data name the
          splits.
        - baselines : bool, default True. Train with a frozen encoder and from scratch as well.
        - fractions : sequence of float from 0 to 1, default (1.0,). Shares of the training subjects whose
          labels are given; at least one subject, and one of each class.
        - labelled : sequence of int, default (). Numbers of training subjects, beside the shares.
        - draws : int from 5 to 100, default 5. How often labels are drawn at each share; of all there is but
          one draw.
        - few_labels : str, optional. Method that learns from unlabelled items as well, such as 'fixmatch';
          the same network learns from the labels alone beside it, and the better one on labelled subjects
          who are kept for that is written.
        - seed : int, 0 or more, default 0. Seed of the split, of the draws and, unless the parameters have
          one, of the task.

    Returns
    -------
    FinetunedFolder
        What was written; `figures` holds what was measured.

    Raises
    ------
    UsageError
        If a choice is wrong, channels or spacing are not those of the pretraining, labels are missing, or
        `resume` is asked for with other choices or scans.
    InputError
        If scans or labels cannot be used, are too few, or if the encoder has seen a test subject.
    ResultThereError
        If `out` holds a network or an unfinished training, and neither `force` nor `resume` is True.
    OutputError
        If `out` holds files of others, or cannot be written.

    Examples
    --------
    Images to classify are given with their labels:

    >>> import medunsup
    >>> fast = {"task": "classify", "parameters": {"steps": 2}}
    >>> made = medunsup.finetune("runs/encoder", "labelled.npz", "runs/classes", **fast)
    >>> sorted(made.figures["AUC"])
    ['finetuned', 'frozen', 'scratch']

    Scans to segment stand in a table:

    >>> few = {"parameters": {"steps": 2}, "spacing_mm": 8.0}
    >>> made = medunsup.finetune("runs/encoder", "pairs.tsv", "runs/tissues", **few)
    >>> sorted(made.figures["MeanDice"])
    ['finetuned', 'frozen', 'scratch']
    """
    settings = FinetuneSettings.parse({"parameters": dict(parameters or {}), **choices}, "finetune")
    files = {"encoder": encoder, "weights": weights, "plan": plan, "label_table": label_table}
    files |= {"labels": labels, "cache": cache, "unlabelled": unlabelled}
    request = FinetuneRequest(
        settings,
        user_path(data),
        user_path(out),
        **{name: None if path is None else user_path(path) for name, path in files.items()},
        column=column,
        mask=mask,
        jobs=jobs,
        resume=resume,
        force=force,
    )
    return finetune_encoder(request, progress or (lambda stage: None))


def finetune_encoder(request: FinetuneRequest, told: Told) -> FinetunedFolder:
    """Do what `finetune` does, with everything asked for in one object; `told` hears of each stage."""
    settings, out = request.settings, request.out
    (check_method if settings.few_labels else check_parameters)(
        settings
    )  # a wrong choice is told before any file is read
    is_few = settings.few_labels is not None
    pretrained = read_pretrained(request)
    task = TASKS[settings.task](request, pretrained)
    with locked(out / LOCK):
        recover(out, "finetuned")
        read = (request.data, request.weights, request.plan, request.labels)
        refuse_foreign_files(out, FILES, MANIFEST, read=read, force=request.force)
        folder = TrainingFolder(out, request.how, manifest=MANIFEST, kind="a fine-tuned network")
        goes_on = folder.open(asked_for(settings, [pretrained.sha256, *task.hashes]))
        with folder.work() as work:
            try:
                scans = task.read(work, told)
                shares = shares_of(settings, scans)
                if is_few:
                    shares = with_unlabelled(shares, scans)
            except MedunsupError:
                folder.forget()
                raise
            begin: Any = Learned if is_few else build
            made: Any = begin(settings, pretrained, task.n_classes).with_steps(scans)
            made, found = each_draw(
                made,
                scans,
                shares,
                with_choice(task.test) if is_few else task.test,
                folder.checkpoints,
                resume=goes_on,
                told=told,
                take=task.take,
            )
            outcome = task.outcome(made, without_choice(found) if is_few else found)
            few = facts_of(made, found) if is_few else None
            card = card_of(scans if is_few else scans.take(shares[0].draws[0].tolist()), outcome.facts, told)
        manifest = _manifest(request, pretrained, made, outcome, few)
        write_finetuned(out, manifest, _files(made, card, outcome, manifest, folder.checkpoints))
        forget_draws(folder.checkpoints)
        folder.finish()
    return read_finetuned(out)


def _manifest(
    request: FinetuneRequest,
    pretrained: Pretrained,
    made: Any,
    outcome: Outcome,
    few: dict[str, Any] | None,
) -> FinetuneManifest:
    return FinetuneManifest(
        task=request.settings.task,
        settings=request.settings.model_dump(mode="json"),
        parameters=made.plain_parameters() if few else made.config.model_dump(mode="json"),
        encoder=pretrained.plan.model_dump(mode="json"),
        pretraining=pretrained.method,
        encoder_sha256=pretrained.sha256,
        steps=made.config.steps,
        verdict=outcome.verdict,
        remarks=[
            *pretrained.remarks,
            *outcome.remarks,
            *([made.verdict()] if few and made.verdict() else []),
        ],
        few_labels=few,
        **outcome.facts,
    )


def _files(
    made: Any, card: Arrays, outcome: Outcome, manifest: FinetuneManifest, checkpoints: Path
) -> dict[str, str | bytes]:
    curve = read_curve(checkpoints)
    is_few = manifest.few_labels is not None
    weights = made.state() if is_few else made.state(f"arms.{FINETUNED}")
    return {
        WEIGHTS: arrays_as_bytes(weights),
        CARD: arrays_as_bytes(card),
        **outcome.files,
        SHARES: shares_tsv(outcome.shares),
        CURVE: curve_tsv(curve),
        PAGE: outcome.page(manifest, watched(curve) if is_few else []),
    }
