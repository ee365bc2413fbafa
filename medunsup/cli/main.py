"""The `medunsup` command: one verb a file, bodies imported when they run."""

import os
import signal
import sys
from typing import Annotated, Any

import typer

from medunsup.cli.anomalies import detect, evaluate, models, train
from medunsup.cli.encoders import attention, export, finetune, predict, pretrain, probe
from medunsup.cli.general import demo, doctor, methods, status
from medunsup.cli.groups import cluster, embed, reduce
from medunsup.cli.hospital import send, watch
from medunsup.cli.shared.help import Command
from medunsup.cli.shared.usage_errors import App
from medunsup.cli.tissue import bids, segment
from medunsup.core.version import __version__

app = typer.Typer(
    name="medunsup",
    cls=App,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
VERBS = {
    "Tissue": (segment.segment, bids.bids),
    "Anomalies": (train.train, detect.detect, evaluate.evaluate),
    "Encoders": (
        pretrain.pretrain,
        probe.probe,
        finetune.finetune,
        predict.predict,
        attention.attention,
        export.export,
    ),
    "Features and groups": (embed.embed, reduce.reduce, cluster.cluster),
    "Hospital": (send.send, watch.watch),
    "General": (status.status, methods.methods, doctor.doctor, demo.demo),
}
for panel, verbs in VERBS.items():
    for each in verbs:
        app.command(cls=Command, rich_help_panel=panel)(each)
app.command("cluster patches", cls=Command, rich_help_panel="Features and groups")(cluster.cluster_patches)
app.add_typer(models.app, name="models", rich_help_panel="Anomalies")


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
    """Learn from the medical scans nobody has labelled: tissue volumes, anomalies, pretrained encoders."""


def run() -> None:
    """Run the command line; Ctrl-C and an end from outside leave no half file."""
    signal.signal(signal.SIGTERM, _end)
    try:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1 and "TORCHELASTIC_RUN_ID" in os.environ:
            _run_together(int(os.environ["RANK"]))
        else:
            app()
    except KeyboardInterrupt:
        sys.exit(130)


def _run_together(rank: int) -> None:
    """Run as one of several processes of `torchrun`: the first one runs the verb, the others train along."""
    from medunsup.training import launched

    if rank:
        launched.follow()
        return
    try:
        app()
    finally:  # they would wait until torchrun kills them
        launched.end()


def _end(number: int, frame: Any) -> None:
    sys.exit(128 + number)
