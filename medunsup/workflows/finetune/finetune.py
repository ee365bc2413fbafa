"""From an encoder and labelled scans to a fine-tuned network: find, split, prepare, learn, test, write."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.finetuned.folder import (
    CURVE,
    DICE,
    FIGURES,
    FILES,
    LOCK,
    MANIFEST,
    PAGE,
    SCANS,
    WEIGHTS,
    FinetunedFolder,
    read_finetuned,
)
from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.cohort.training.consistency import Common
from medunsup.cohort.training.folder import TrainingFolder, asked_for
from medunsup.core.errors import MedunsupError
from medunsup.core.labels import Label
from medunsup.core.paths import user_path
from medunsup.core.progress import Told
from medunsup.io.files.artifact_folder import arrays_as_bytes
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.workflows.finetune.data import Pairs, find_labels, find_pairs, prepare_pairs, stack_pairs
from medunsup.workflows.finetune.figures import FINETUNED, Figures, gather, unlearned
from medunsup.workflows.finetune.folder import (
    clear_predictions,
    curve_tsv,
    dice_tsv,
    scans_tsv,
    write_finetuned,
    write_label_table,
)
from medunsup.workflows.finetune.learn import build, check_parameters, learn, read_curve
from medunsup.workflows.finetune.pretrained import Pretrained, read_pretrained
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.settings import FinetuneSettings
from medunsup.workflows.finetune.show import Shown, page_of, show

if TYPE_CHECKING:
    from medunsup.supervised.segmentation import Segmentation


def finetune(
    encoder: str | Path | None,
    data: str | Path,
    out: str | Path,
    *,
    weights: str | Path | None = None,
    plan: str | Path | None = None,
    label_table: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    cache: str | Path | None = None,
    jobs: int = 1,
    resume: bool = False,
    force: bool = False,
    progress: Told | None = None,
    **choices: Any,
) -> FinetunedFolder:
    """Fine-tune a pretrained encoder on scans with label maps, and say what pretraining has brought.

    Beside it the same network is trained with the encoder frozen and from scratch, on the same batches for as
    many steps. All are tested on subjects that neither has seen, with their last weights. A fine-tuning that
    was ended goes on with `resume`.

    Parameters
    ----------
    encoder : str, Path or None
        Folder that `pretrain` made; None for `weights` that were trained elsewhere.
    data : str or Path
        Table (TSV) with the columns scan and labels and, if known, mask, subject and split (train, test).
    out : str or Path
        Folder for the network, its figures, its label maps of the test scans and the page.
    weights : str or Path, optional
        File of weights that were trained elsewhere (.pth, .safetensors).
    plan : str or Path, optional
        Their adaptation_plan.json, ours or that of nnssl, unless the file of weights holds it.
    label_table : str or Path, optional
        BIDS table (TSV) of the labels' names, with the columns index and name.
    parameters : dict, optional
        Parameters of the task by name: steps, batch_size, learning_rate, ...
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

        - task : {'segment'}, default 'segment'. What is learned.
        - spacing_mm : float from 0.5 to 8, optional. Voxel spacing in mm of the template grid; that of the
          pretraining if not given.
        - contrast : {'auto', 'T1w', 'T2w', 'FLAIR', 'PD'}, default 'auto'. Weighting of the scans.
        - brain : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'. How masks are found if none is
          given.
        - coordinates : {'auto', 'sform', 'qform'}, default 'auto'. Which of a NIfTI file's two coordinate
          systems to use if they differ.
        - test : float from 0 to 1, default 0.3. Share of the subjects to test on, unless the table has
          splits.
        - baselines : bool, default True. Train with a frozen encoder and from scratch as well.
        - seed : int, 0 or more, default 0. Seed of the split and, unless the parameters have one, of the
          task.

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
    >>> import medunsup
    >>> few = {"parameters": {"steps": 2}, "spacing_mm": 8.0}
    >>> made = medunsup.finetune("runs/encoder", "pairs.tsv", "runs/seg", **few)
    >>> sorted(made.figures["MeanDice"])
    ['finetuned', 'frozen', 'scratch']
    """
    settings = FinetuneSettings.parse({"parameters": dict(parameters or {}), **choices}, "finetune")
    files = {"encoder": encoder, "weights": weights, "plan": plan, "label_table": label_table, "cache": cache}
    request = FinetuneRequest(
        settings,
        user_path(data),
        user_path(out),
        **{name: None if path is None else user_path(path) for name, path in files.items()},
        jobs=jobs,
        resume=resume,
        force=force,
    )
    return finetune_encoder(request, progress or (lambda stage: None))


def finetune_encoder(request: FinetuneRequest, told: Told) -> FinetunedFolder:
    """Do what `finetune` does, with everything asked for in one object; `told` hears of each stage."""
    settings = request.settings
    check_parameters(settings)  # a wrong choice is told before any file is read
    pretrained = read_pretrained(request)
    pairs = find_pairs(request, pretrained)
    with locked(request.out / LOCK):
        recover(request.out, "finetuned")
        read = (request.data, request.weights, request.plan)
        refuse_foreign_files(request.out, FILES, MANIFEST, read=read, force=request.force)
        folder = TrainingFolder(request.out, request.how, manifest=MANIFEST, kind="a fine-tuned network")
        goes_on = folder.open(asked_for(settings, [pretrained.sha256, *pairs.hashes]))
        with folder.work() as work:
            try:
                common = prepare_pairs(pairs, request, told)
                labels = find_labels(pairs, request, told)
                scans = stack_pairs(pairs, labels, request, work)
            except MedunsupError:
                folder.forget()
                raise
            made = build(settings, pretrained, classes=len(labels) + 1)
            made = learn(made, scans, folder.checkpoints, resume=goes_on, told=told)
        figures, shown = _test(made, pairs, labels, request, told)
        manifest = _manifest(request, pairs, common, made, figures)
        write_finetuned(
            request.out, manifest, _files(made, pairs, figures, shown, manifest, folder.checkpoints)
        )
        folder.finish()
    return read_finetuned(request.out)


def _test(
    made: "Segmentation", pairs: Pairs, labels: Sequence[Label], request: FinetuneRequest, told: Told
) -> tuple[Figures, list[Shown]]:
    """Test all networks, and write the label maps of the fine-tuned one."""
    clear_predictions(request.out)
    write_label_table(request.out, labels)
    cases, shown = [], []
    for case, picture in show(made, pairs, labels, request, told):
        cases.append(case)
        shown.append(picture)
    return gather(cases, labels, seed=request.settings.seed), shown


def _manifest(
    request: FinetuneRequest, pairs: Pairs, common: Common, made: "Segmentation", figures: Figures
) -> FinetuneManifest:
    pretrained = pairs.pretrained
    return FinetuneManifest(
        task=request.settings.task,
        settings=request.settings.model_dump(mode="json"),
        parameters=made.config.model_dump(mode="json"),
        encoder=pretrained.plan.model_dump(mode="json"),
        pretraining=pretrained.method,
        encoder_sha256=pretrained.sha256,
        spacing_mm=pairs.grid.spacing_mm,
        contrast=common.contrast,
        coarsest_mm=common.coarsest_mm,
        labels=[{"index": label.index, "name": label.name} for label in figures.labels],
        scans={name: len(cases) for name, cases in pairs.splits.items()},
        steps=made.config.steps,
        verdict=figures.verdict,
        remarks=[*pretrained.remarks, *_remarks(pretrained, pairs, common), *unlearned(figures)],
    )


def _remarks(pretrained: Pretrained, pairs: Pairs, common: Common) -> list[str]:
    found = []
    if pretrained.contrast not in (None, common.contrast):
        found.append(
            f"The encoder was pretrained on {pretrained.contrast} scans; these are {common.contrast}."
        )
    if pairs.left_out:
        found.append(f"Scans of the validation or calibration split, left out: {pairs.left_out}.")
    return found


def _files(
    made: "Segmentation",
    pairs: Pairs,
    figures: Figures,
    shown: Sequence[Shown],
    manifest: FinetuneManifest,
    checkpoints: Path,
) -> dict[str, str | bytes]:
    return {
        WEIGHTS: arrays_as_bytes(made.state(f"arms.{FINETUNED}")),
        FIGURES: json.dumps(figures.as_json(), indent=2) + "\n",
        DICE: dice_tsv(figures),
        SCANS: scans_tsv(pairs.cases, pairs.hashes),
        CURVE: curve_tsv(read_curve(checkpoints)),
        PAGE: page_of(figures, shown, manifest),
    }
