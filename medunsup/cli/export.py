"""`medunsup export`: a pretrained encoder for another library."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli.shared import options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option
from medunsup.cli.shared.verb import verb

EncoderFolder = Annotated[Path, typer.Argument(metavar="ENCODER", help="What `medunsup pretrain` made.")]
ExportOut = Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="For the weights.")]
To = Annotated[str, typer.Option("--to", metavar="LIBRARY", help="Whose network takes the weights: monai.")]
Classes = Annotated[
    int, option("Run", "--classes", metavar="NUMBER", help="Of the network's output, background among them.")
]


@verb()
def export(
    encoder: EncoderFolder,
    out: ExportOut,
    to: To = "monai",
    *,
    classes: Classes = 2,
    force: options.Force = False,
    telling: options.Telling,
) -> None:
    """Write a pretrained encoder as weights that a network of MONAI loads strictly.

    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    from medunsup.workflows.export.export import export as export_encoder

    made = export_encoder(encoder, out, to=to, classes=classes, force=force)  # type: ignore[arg-type]
    if telling.as_json:
        counts = {"pretrained": len(made.pretrained), "random": len(made.fresh)}
        about = {"folder": str(made.path), "network": made.network, "arguments": dict(made.arguments)}
        print_json(about | counts)
    elif not telling.quiet:
        typer.echo(
            f"{made.path}: MONAI's {made.network}, {len(made.pretrained)} weights pretrained, "
            f"{len(made.fresh)} random"
        )
