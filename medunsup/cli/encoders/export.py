"""`medunsup export`: a network for another library."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared import options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.workflows.export.bundle import ExportedBundle

EncoderFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="What `medunsup pretrain` made; for a bundle also what `medunsup finetune` made."
    ),
]
ExportOut = Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="For what is written.")]
To = Annotated[
    str,
    typer.Option("--to", metavar="LIBRARY", help="monai (weights) or bundle (runs without medunsup)."),
]
Classes = Annotated[
    int,
    option(
        "Run",
        "--classes",
        metavar="NUMBER",
        help="Classes of the network's output, with the background; not for a bundle.",
    ),
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
    """Write an encoder as weights that a network of MONAI loads, or any network as a MONAI bundle.

    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    from medunsup.workflows.export.export import ExportedFolder
    from medunsup.workflows.export.export import export as export_encoder

    made = export_encoder(encoder, out, to=to, classes=classes, force=force)  # type: ignore[arg-type]
    if to == "bundle":
        _tell_bundle(made, telling)  # type: ignore[arg-type]
        return
    assert isinstance(made, ExportedFolder)
    if telling.as_json:
        counts = {"pretrained": len(made.pretrained), "random": len(made.fresh)}
        about = {"folder": str(made.path), "network": made.network, "arguments": dict(made.arguments)}
        print_json(about | counts)
    elif not telling.quiet:
        typer.echo(
            f"{made.path}: MONAI's {made.network}, {len(made.pretrained)} weights pretrained, "
            f"{len(made.fresh)} random"
        )


def _tell_bundle(made: "ExportedBundle", telling: options.Telling) -> None:
    if telling.as_json:
        about = {"folder": str(made.path), "task": made.task, "shape": list(made.shape)}
        print_json(about | {"difference": made.difference})
    elif not telling.quiet:
        shape = " × ".join(map(str, made.shape))
        typer.echo(
            f"{made.path}: MONAI bundle for inputs of {shape}; its outputs differ from the network's by "
            f"at most {made.difference:.1g}"
        )
