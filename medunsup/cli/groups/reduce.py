"""`medunsup reduce`: a map of a table of features."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.groups import of_tables
from medunsup.cli.shared import options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import listed, read_parameters
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.cohort.maps.result import ReductionResult


Features = Annotated[Path, of_tables.features()]
Out = Annotated[Path, of_tables.out("the map and its page")]
Method = Annotated[str | None, of_tables.method("reduction", "umap")]
Model = Annotated[Path | None, of_tables.model("reduce")]
Colour = Annotated[
    str | None, option("Input", "--colour", metavar="NAME", help="Covariate that colours the picture.")
]


@verb()
def reduce(
    features: Features,
    out: Out,
    *,
    method: Method = None,
    model: Model = None,
    covariates: of_tables.Covariates = None,
    colour: Colour = None,
    drop_incomplete: of_tables.DropIncomplete = False,
    stream: of_tables.Stream = False,
    set_: options.SetValue = None,
    seed: options.Seed = None,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Draw a map of a table of features, rows that are alike near one another; or place new rows on a map.

    Writes map.tsv, map.json, the fitted method and report.html. Distances between groups on a map by tsne or
    umap mean little.
    """
    parameters = read_parameters(set_ or [])
    given = {
        "method": method,
        "covariates": listed(covariates),
        "colour": colour,
        "drop_incomplete": drop_incomplete or None,
        "seed": seed,
        "parameters": parameters or None,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    with stages(telling.quiet) as told:
        from medunsup.workflows.reduce.reduce import reduce as reduce_table

        result = reduce_table(features, out, model=model, stream=stream, force=force, progress=told, **chosen)
    _print(result, out, telling)


def _print(result: "ReductionResult", out: Path, telling: options.Telling) -> None:
    from medunsup.core.provenance import plain
    from medunsup.report.reduce.words import sentences, title

    if telling.as_json:
        print_json(plain(result.as_record()))
        return
    if telling.quiet:
        return
    typer.echo(f"{title(result)}  -> {out / 'report.html'}")
    for sentence in sentences(result):
        typer.echo(f"  {sentence}")
    for remark in result.remarks:
        typer.echo(f"  {remark}", err=True)
