"""What a person sees while a command works, all on stderr: scans with their steps, or stages of one job."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import typer

from medunsup.core.pace import Pace
from medunsup.core.paths import short_names

if TYPE_CHECKING:
    from medunsup.cohort.batch import Outcome
    from medunsup.core.progress import Stage

N_STEPS = 10


class Silent:
    """Shows nothing; the base of what shows something."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop showing."""

    def step(self, scan: Path, text: str) -> None:
        """Show nothing."""

    def first_pass(self, scan: Path) -> None:
        """Show nothing."""

    def finished(self, outcome: "Outcome") -> None:
        """Show nothing."""


class Plain(Silent):
    """For logs: one line a step, or of several scans one line each."""

    def __init__(self, scans: Sequence[Path]) -> None:
        self.names = short_names(scans)
        self.n_scans = max(1, len(scans))
        self.paces = {"first pass": Pace(self.n_scans), "": Pace(self.n_scans)}

    def step(self, scan: Path, text: str) -> None:
        """Write a line if there is but one scan."""
        if self.n_scans == 1:
            typer.echo(f"{scan.name}: {text}", err=True)

    def finished(self, outcome: "Outcome") -> None:
        """Write a line with the count and the time left."""
        self._line("", outcome.scan, outcome.status, took_time=outcome.status == "done")

    def first_pass(self, scan: Path) -> None:
        """Write such a line of the pass that --learn-prior makes before."""
        self._line("first pass", scan, "done", took_time=True)

    def _line(self, which: str, scan: Path, status: str, *, took_time: bool) -> None:
        pace = self.paces[which]
        rest = left(pace.done(took_time=took_time))
        count = f"{which} [{pace.n_done}/{pace.n_items}]".lstrip()
        name = self.names.get(scan, scan.name)
        typer.echo(f"{count} {name}: {status}{', ' * bool(rest)}{rest}", err=True)


class Moving(Silent):
    """A bar over the scans and a line for each that is worked on."""

    def __init__(self, scans: Sequence[Path]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20))
        self.progress = Progress(
            *columns,
            TextColumn("{task.fields[now]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            refresh_per_second=4,
            transient=True,
        )
        self.total = self.progress.add_task("scans", total=max(1, len(scans)), now="", visible=len(scans) > 1)
        self.names = short_names(scans)
        self.lines: dict[Path, Any] = {}
        self.pace = Pace(max(1, len(scans)))

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def step(self, scan: Path, text: str) -> None:
        """Move the scan's line to its next step."""
        if scan not in self.lines:
            name = self.names.get(scan, scan.name)
            self.lines[scan] = self.progress.add_task(name, total=N_STEPS, now=text)
            return
        self.progress.update(self.lines[scan], advance=1, now=text)

    def finished(self, outcome: "Outcome") -> None:
        """Remove the scan's line and move the bar."""
        if outcome.scan in self.lines:
            self.progress.remove_task(self.lines.pop(outcome.scan))
        rest = left(self.pace.done(took_time=outcome.status == "done"))
        self.progress.update(self.total, advance=1, now=rest)

    def first_pass(self, scan: Path) -> None:
        """Remove the scan's line until its second pass."""
        if scan in self.lines:
            self.progress.remove_task(self.lines.pop(scan))


def display(scans: Sequence[Path], quiet: bool) -> Silent:
    """Choose how to show progress: moving on a terminal, plain lines elsewhere, nothing if quiet.

    None of the scans need be named if they are worked on as one.
    """
    if quiet:
        return Silent()
    return Moving(scans) if sys.stderr.isatty() else Plain(scans)


def left(seconds: float | None) -> str:
    """Say how long it still takes: "about 4 min left"."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left" if seconds < 5400 else f"about {seconds / 3600:.1f} h left"


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
