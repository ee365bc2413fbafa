"""`medunsup finetune`: a pretrained encoder learns from labels."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli.shared import model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option, preset
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import read_finetuning
from medunsup.cli.shared.verb import verb

KEPT = "prepared scans are kept, and the last checkpoint if there is one: go on with --resume"

EncoderFolder = Annotated[
    Path | None, typer.Argument(metavar="[ENCODER]", help="What `medunsup pretrain` made.")
]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="TABLE",
        help="TSV with columns scan and labels, and subject and split if known.",
    ),
]
NetworkOut = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="For network, figures, label maps and page.")
]
Task = Annotated[str | None, option("Method", "--task", metavar="TASK", help="What is learned: segment.")]
Weights = Annotated[
    Path | None, option("Input", "--weights", metavar="FILE", help="Weights trained elsewhere, not ENCODER.")
]
Plan = Annotated[
    Path | None, option("Input", "--plan", metavar="FILE", help="The adaptation_plan.json of --weights.")
]
LabelTable = Annotated[
    Path | None, option("Input", "--label-table", metavar="FILE", help="TSV of labels: index and name.")
]
Test = Annotated[
    float | None,
    option("Input", "--test", metavar="SHARE", help="Of the subjects, unless the table has splits; .3."),
]
NoBaselines = Annotated[
    bool, option("Method", "--no-baselines", help="Train neither with a frozen encoder nor from scratch.")
]


@verb(kept=KEPT)
def finetune(
    data: Data,
    out: NetworkOut,
    encoder: EncoderFolder = None,
    *,
    task: Task = None,
    weights: Weights = None,
    plan: Plan = None,
    label_table: LabelTable = None,
    test: Test = None,
    brain: options.Brain = None,
    contrast: options.Contrast = None,
    coordinates: options.Coordinates = None,
    spacing: model_options.Spacing = None,
    no_baselines: NoBaselines = False,
    config: Annotated[str | None, preset("finetune")] = None,
    set_: options.SetValue = None,
    seed: options.Seed = None,
    resume: model_options.Resume = False,
    cache: model_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Fine-tune a pretrained encoder on scans with label maps, and say what pretraining has brought.

    The same is trained with a frozen encoder and from scratch. It can be stopped and goes on with --resume.

    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    given = {"task": task, "test": test, "spacing_mm": spacing, "seed": seed, "contrast": contrast}
    given |= {"brain": brain, "coordinates": coordinates, "baselines": False if no_baselines else None}
    with stages(telling.quiet) as told:
        settings = read_finetuning(config, given, set_ or [])
        from medunsup.workflows.finetune.finetune import finetune_encoder
        from medunsup.workflows.finetune.request import FinetuneRequest
        from medunsup.workflows.finetune.summary import finetuned_facts, line

        request = FinetuneRequest(
            settings,
            data,
            out,
            encoder,
            weights,
            plan,
            label_table,
            cache,
            jobs=jobs,
            resume=resume,
            force=force,
        )
        made = finetune_encoder(request, told)
    if telling.as_json:
        print_json(finetuned_facts(made))
    elif not telling.quiet:
        typer.echo(f"{made.path}: {line(made)}")
    for remark in () if telling.quiet else made.manifest.remarks:
        typer.echo(f"  {remark}", err=True)
