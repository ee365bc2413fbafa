"""The `medunsup` command: one verb a file, bodies imported when they run."""

import signal
import sys
from typing import Annotated, Any

import typer

from medunsup.cli import (
    attention,
    bids,
    demo,
    detect,
    doctor,
    evaluate,
    export,
    finetune,
    methods,
    models,
    predict,
    pretrain,
    probe,
    segment,
    train,
)
from medunsup.cli.shared.help import Command
from medunsup.cli.shared.usage_errors import App
from medunsup.core.version import __version__

app = typer.Typer(
    name="medunsup",
    cls=App,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command(cls=Command)(segment.segment)
app.command(cls=Command)(bids.bids)
app.command(cls=Command)(train.train)
app.command(cls=Command)(detect.detect)
app.command(cls=Command)(evaluate.evaluate)
app.command(cls=Command)(pretrain.pretrain)
app.command(cls=Command)(finetune.finetune)
app.command(cls=Command)(predict.predict)
app.command(cls=Command)(export.export)
app.command(cls=Command)(probe.probe)
app.command(cls=Command)(attention.attention)
app.add_typer(models.app, name="models")
app.command(cls=Command)(methods.methods)
app.command(cls=Command)(doctor.doctor)
app.command(cls=Command)(demo.demo)


def print_version(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        typer.echo(f"medunsup {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Learn from the medical scans nobody has labelled: tissue volumes, and what is unlike healthy scans."""


def run() -> None:
    """Run the command line; Ctrl-C and an end from outside leave no half file."""
    signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _end(number: int, frame: Any) -> None:
    sys.exit(128 + number)
