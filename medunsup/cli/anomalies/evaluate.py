"""`medunsup evaluate`: how well a model finds lesions, beside every baseline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared import model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.anomaly.evaluation import Evaluation


Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="FOLDER",
        help="What `medunsup train` made, or the name of a bundled model.",
        show_default=False,
        autocompletion=model_options.shipped,
    ),
]
Cases = Annotated[
    Path,
    typer.Option(
        "--cases",
        metavar="TABLE",
        help="TSV with the columns scan and lesions (empty: healthy), and if known mask, subject, site.",
        show_default=False,
    ),
]
Out = Annotated[
    Path,
    typer.Option("-o", "--out", metavar="FOLDER", help="For the tables and the page.", show_default=False),
]
WithBaselines = Annotated[
    bool, typer.Option("--baselines/--no-baselines", help="Measure the baselines as well.")
]
SyntheticLesions = Annotated[
    bool, typer.Option("--synthetic", help="Insert synthetic lesions into the healthy cases as well.")
]
LesionShapes = Annotated[
    Path | None,
    typer.Option(
        "--lesion-shapes",
        metavar="FOLDER",
        help="Of lesion masks: insert synthetic lesions of these shapes, not ellipsoids.",
        show_default=False,
    ),
]
FPPerScan = Annotated[
    float,
    typer.Option(
        "--fp-per-scan", metavar="NUMBER", min=0, help="Findings that a healthy scan may show on average."
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", metavar="FOLDER", help="Of prepared scans; by default in the output."),
]


@verb()
def evaluate(
    model: Model,
    cases: Cases,
    out: Out,
    *,
    baselines: WithBaselines = True,
    synthetic: SyntheticLesions = False,
    lesion_shapes: LesionShapes = None,
    fp_per_scan: FPPerScan = 1.0,
    healthy: model_options.Healthy = None,
    cache: Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Measure a model on scans with known lesions, beside baselines that cost nothing.

    Writes cases.tsv, comparison.tsv, steps.tsv, froc.tsv, evaluation.json and report.html. A run that was
    ended goes on where it was.
    """
    from medunsup.workflows.evaluate.evaluate import evaluate as evaluate_model

    with stages(telling.quiet) as told:
        result = evaluate_model(
            model,
            cases,
            out,
            baselines=baselines,
            synthetic=synthetic,
            lesion_shapes=lesion_shapes,
            fp_per_scan=fp_per_scan,
            healthy=healthy,
            cache=cache,
            jobs=jobs,
            force=force,
            progress=told,
        )
    _print(result, out, telling)


def _print(result: "Evaluation", out: Path, telling: options.Telling) -> None:
    from medunsup.core.provenance import plain
    from medunsup.report.evaluate.words import interval, verdict

    if telling.as_json:
        print_json(plain(result.as_record()))
        return
    if telling.quiet:
        return
    said = verdict(result)
    for text in said.reasons:
        typer.echo(f"  {text}", err=True)
    precision = interval(result.figures.model.figures.get("average_precision"))
    typer.echo(f"{said.words.title}: average precision {precision}  -> {out / 'report.html'}")
