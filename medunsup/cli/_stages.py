"""What `train` shares with the other verbs: its choices, and what a person sees while it goes on."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from medunsup.cli._console import left
from medunsup.cli._settings import read_parameters

if TYPE_CHECKING:
    from medunsup.core.progress import Stage
    from medunsup.workflows.train.settings import TrainSettings


def read_training(config: str | None, given: Mapping[str, Any], parameters: Sequence[str]) -> "TrainSettings":
    """Join a preset or YAML file, the options (which win), and --set key=value of the model.

    Raises UsageError that names the key and the nearest known one.
    """
    from medunsup.core.config import preset
    from medunsup.workflows.train.settings import TrainSettings

    values = preset("detect", config) if config else {}
    values |= {key: value for key, value in given.items() if value is not None}
    values["parameters"] = {**values.get("parameters", {}), **read_parameters(parameters)}
    return TrainSettings.parse(values, where=config or "train")


@contextmanager
def stages(quiet: bool) -> Iterator[Callable[["Stage"], None]]:
    """Show what is done now: a moving bar on a terminal, a line a stage elsewhere, nothing if quiet."""
    if quiet:
        yield lambda stage: None
        return
    if not sys.stderr.isatty():
        yield _Lines().told
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(30))
    with Progress(
        *columns,
        TextColumn("{task.fields[left]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        refresh_per_second=4,
        transient=True,
    ) as shown:
        bar = shown.add_task("starting", total=1.0, left="")
        yield lambda stage: shown.update(
            bar,
            description=f"{stage.what}  {stage.detail}",
            completed=stage.share,
            left=left(stage.seconds_left),
        )


class _Lines:
    """One line whenever the stage's words change, for logs."""

    def __init__(self) -> None:
        self.last = ""

    def told(self, stage: "Stage") -> None:
        """Write a line if the stage is a new one."""
        if stage.what != self.last:
            self.last = stage.what
            typer.echo(f"{stage.what}  {left(stage.seconds_left)}".rstrip(), err=True)
