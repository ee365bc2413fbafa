"""`medunsup probe`: whether a pretrained encoder helps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared import model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import numbers
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.cohort.encoders.probed import ProbeResult

EncoderFolder = Annotated[
    Path, typer.Argument(metavar="ENCODER", help="What `medunsup pretrain` made.", show_default=False)
]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="SOURCE",
        help="Images in a .npz file (train_images, train_labels, test_images, test_labels), or scans: a "
        "folder, a BIDS data set, or a table (TSV).",
        show_default=False,
    ),
]
Labels = Annotated[
    Path | None,
    option(
        "Input", "--labels", metavar="TABLE", help="Of scans: a row a subject (TSV or CSV); n/a leaves out."
    ),
]
Column = Annotated[
    str | None, option("Input", "--column", metavar="NAME", help="Column of the table that is to be told.")
]
Out = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="For figures and page.", show_default=False)
]
Fractions = Annotated[
    str | None,
    option(
        "Method",
        "--fractions",
        metavar="SHARES",
        help="Of the training labels that are given, parted by commas; by default 0.01,0.1,1.",
    ),
]
Draws = Annotated[
    int | None,
    option("Method", "--draws", metavar="NUMBER", help="Of the labels at each share; by default 5."),
]
Test = Annotated[
    float | None,
    option(
        "Method",
        "--test",
        metavar="SHARE",
        help="Of the subjects to test on, where the data name no test split; by default 0.3.",
    ),
]


@verb()
def probe(
    encoder: EncoderFolder,
    data: Data,
    out: Out,
    *,
    labels: Labels = None,
    column: Column = None,
    mask: options.Mask = None,
    fractions: Fractions = None,
    draws: Draws = None,
    test: Test = None,
    seed: options.Seed = None,
    cache: model_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Measure whether a pretrained encoder helps, with few labels and with many.

    Beside it stand the same network with random weights, and principal components of the voxels. Writes
    figures.tsv, probe.json and report.html.
    """
    from medunsup.workflows.probe.probe import probe as probe_encoder

    given = {
        "fractions": numbers(fractions, "--fractions", "0.01,0.1,1"),
        "draws": draws,
        "test": test,
        "seed": seed,
    }
    with stages(telling.quiet) as told:
        result = probe_encoder(
            encoder,
            data,
            out,
            labels=labels,
            column=column,
            mask=mask,
            cache=cache,
            jobs=jobs,
            force=force,
            progress=told,
            **{name: value for name, value in given.items() if value is not None},
        )
    _print(result, out, telling)


def _print(result: "ProbeResult", out: Path, telling: options.Telling) -> None:
    from medunsup.core.provenance import plain
    from medunsup.report.probe.words import contrary, sentence, verdict

    if telling.as_json:
        print_json(plain(result.as_record()))
        return
    if telling.quiet:
        return
    _, said = verdict(result)
    typer.echo(f"{said.title}  -> {out / 'report.html'}")
    for one in result.verdicts:
        typer.echo(f"  {sentence(one)}")
    for remark in (*contrary(result), *result.remarks):
        typer.echo(f"  {remark}", err=True)
