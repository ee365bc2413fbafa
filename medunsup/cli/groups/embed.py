"""`medunsup embed`: a table of features from scans or images."""

from pathlib import Path
from typing import Annotated, Any

import typer

from medunsup.cli.shared import executor_options, model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option
from medunsup.cli.shared.printing import print_forecast
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import listed, read_parameters
from medunsup.cli.shared.verb import verb
from medunsup.core.errors import UsageError

KEPT = "what is done is kept: the same command goes on"
SHOWN = 5


def _kinds() -> list[str]:
    """Complete --features."""
    from medunsup.core.registry import methods

    return [card.name for card in methods("feature")]


Data = Annotated[
    list[Path],
    typer.Argument(
        metavar="DATA",
        help="Scans: a folder, a BIDS data set, or a table (TSV); or images in a .npz file, with --encoder.",
        show_default=False,
    ),
]
Out = Annotated[
    Path,
    typer.Option("-o", "--out", metavar="TABLE", help="A .parquet, .csv or .tsv file.", show_default=False),
]
Kinds = Annotated[
    str | None,
    option(
        "Method",
        "--features",
        metavar="NAMES",
        help="By default volumes,intensity, unless there is --encoder; see `medunsup methods feature`.",
        autocompletion=_kinds,
    ),
]
Encoder = Annotated[
    Path | None,
    option("Method", "--encoder", metavar="FOLDER", help="What `medunsup pretrain` made: its features too."),
]


@verb(kept=KEPT)
def embed(
    data: Data,
    out: Out,
    *,
    features: Kinds = None,
    encoder: Encoder = None,
    mask: options.Mask = None,
    brain: options.Brain = None,
    contrast: options.Contrast = None,
    coordinates: options.Coordinates = None,
    spacing: model_options.Spacing = None,
    set_: options.SetValue = None,
    cache: model_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    where: executor_options.Where,
    telling: options.Telling,
) -> int:
    """Take features of scans or images: a table with a row each.

    A scan that fails is named and has no row; all others have one.

    Exit codes: 0 done, 1 failed or a scan has no row, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    choices: dict[str, Any] = {"spacing_mm": spacing, "contrast": contrast, "brain": brain}
    choices["coordinates"] = coordinates
    with stages(telling.quiet) as told:
        from medunsup.workflows.embed.embed import foresee, make_request, make_table

        request = make_request(
            _single(data),
            out,
            features=listed(features),
            encoder=encoder,
            parameters=read_parameters(set_ or []),
            mask=mask,
            cache=cache,
            executor=where.chosen(jobs),
            force=force,
            **{name: value for name, value in choices.items() if value is not None},
        )
        if dry_run:
            return print_forecast(foresee(request, told), telling.as_json)
        table = make_table(request, told)
    failed = dict(table.attributes.get("failed", {}))
    if telling.as_json:
        facts = {"table": str(out), "rows": len(table), "features": list(table.names), "failed": failed}
        print_json({**facts, "covariates": list(table.covariates)})
    elif not telling.quiet:
        typer.echo(f"{out}: {len(table)} rows, {len(table.names)} features")
        for name in list(failed)[:SHOWN]:
            typer.echo(f"  no row: {name}", err=True)
    return 1 if failed else 0


def _single(data: list[Path]) -> Path:
    """Return the only path; several, such as those of a pattern, are refused with what to give instead."""
    if len(data) > 1:
        raise UsageError(
            f"{len(data)} paths were given, {data[0]} and {data[1]} first: give the one folder that holds "
            'the scans, or a table with a row each (TSV, column "scan").'
        )
    return data[0]
