"""`medunsup finetune`: a pretrained encoder learns from labels."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli.shared import model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option, preset
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import numbers, read_finetuning
from medunsup.cli.shared.verb import verb

KEPT = "prepared scans are kept, and the last checkpoint if there is one: go on with --resume"

EncoderFolder = Annotated[
    Path | None, typer.Argument(metavar="[ENCODER]", help="What `medunsup pretrain` made.")
]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="SOURCE",
        help="To segment: a table (TSV) with the columns scan and labels and, if known, subject and split. "
        "To classify: images in a .npz file, or scans in a folder, a BIDS data set or a table.",
    ),
]
NetworkOut = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="For network, figures, label maps and page.")
]
Task = Annotated[
    str | None, option("Method", "--task", metavar="TASK", help="What is learned: segment or classify.")
]
Weights = Annotated[
    Path | None, option("Input", "--weights", metavar="FILE", help="Weights trained elsewhere, not ENCODER.")
]
Plan = Annotated[
    Path | None, option("Input", "--plan", metavar="FILE", help="The adaptation_plan.json of --weights.")
]
LabelTable = Annotated[
    Path | None, option("Input", "--label-table", metavar="FILE", help="TSV of labels: index and name.")
]
Labels = Annotated[
    Path | None,
    option(
        "Input",
        "--labels",
        metavar="TABLE",
        help="Labels of scans to classify: a row a subject (TSV or CSV).",
    ),
]
Column = Annotated[
    str | None, option("Input", "--column", metavar="NAME", help="Column of --labels that is learned.")
]
FewLabels = Annotated[
    str | None,
    option("Method", "--few-labels", metavar="METHOD", help="Learn from unlabelled items too: fixmatch, ..."),
]
Unlabelled = Annotated[
    Path | None,
    option(
        "Input", "--unlabelled", metavar="SOURCE", help="More without labels, for --few-labels; as --data."
    ),
]
Fractions = Annotated[
    str | None,
    option("Method", "--fractions", metavar="SHARES", help="Shares of the labels to train with: 0.01,0.1,1."),
]
Labelled = Annotated[
    str | None,
    option(
        "Method", "--labelled", metavar="NUMBERS", help="Numbers of labelled subjects to train with: 1,2,4."
    ),
]
Draws = Annotated[
    int | None,
    option(
        "Method", "--draws", metavar="NUMBER", help="How often labels are drawn at each share; 5 or more."
    ),
]
Test = Annotated[
    float | None,
    option(
        "Input",
        "--test",
        metavar="SHARE",
        help="Share of the subjects to test on, unless the data name a test split; by default 0.3.",
    ),
]
Spacing = Annotated[
    float | None,
    option("Method", "--spacing", metavar="MM", help="Of the grid to learn on; by default the encoder's."),
]
SetValue = Annotated[
    list[str] | None,
    option(
        "Method",
        "--set",
        metavar="KEY=VALUE",
        help="A parameter of the task, such as steps=500 (docs/finetune.md lists them); may be repeated.",
    ),
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
    few_labels: FewLabels = None,
    weights: Weights = None,
    plan: Plan = None,
    label_table: LabelTable = None,
    unlabelled: Unlabelled = None,
    labels: Labels = None,
    column: Column = None,
    mask: options.Mask = None,
    test: Test = None,
    brain: options.Brain = None,
    contrast: options.Contrast = None,
    coordinates: options.Coordinates = None,
    spacing: Spacing = None,
    no_baselines: NoBaselines = False,
    fractions: Fractions = None,
    labelled: Labelled = None,
    draws: Draws = None,
    config: Annotated[str | None, preset("finetune")] = None,
    set_: SetValue = None,
    seed: options.Seed = None,
    resume: model_options.Resume = False,
    cache: model_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Fine-tune a pretrained encoder on labelled scans or images, and say what pretraining has brought.

    The same is trained with a frozen encoder and from scratch. It can be stopped and goes on with --resume.

    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    given = {"task": task, "test": test, "spacing_mm": spacing, "seed": seed, "contrast": contrast}
    given |= {"brain": brain, "coordinates": coordinates, "baselines": False if no_baselines else None}
    shares = {
        "fractions": numbers(fractions, "--fractions", "0.01,0.1,1"),
        "labelled": numbers(labelled, "--labelled", "1,2,4", whole=True),
        "draws": draws,
        "few_labels": few_labels,
    }
    with stages(telling.quiet) as told:
        settings = read_finetuning(config, given | shares, set_ or [])
        from medunsup.workflows.finetune.finetune import finetune_encoder
        from medunsup.workflows.finetune.request import FinetuneRequest
        from medunsup.workflows.finetune.summary import finetuned_facts, lines

        request = FinetuneRequest(
            settings,
            data,
            out,
            encoder,
            weights,
            plan,
            label_table,
            labels,
            column,
            mask,
            unlabelled,
            cache,
            jobs=jobs,
            resume=resume,
            force=force,
        )
        made = finetune_encoder(request, told)
    if telling.as_json:
        print_json(finetuned_facts(made))
    elif not telling.quiet:
        typer.echo(f"{made.path}: " + "\n  ".join(lines(made)))
        typer.echo(f"  page: {finetuned_facts(made)['page']}")
    for remark in () if telling.quiet else made.manifest.remarks:
        typer.echo(f"  {remark}", err=True)
