"""What a person sees while scans are worked on, all on stderr; and how errors end the command."""

import json
import logging
import math
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import typer

from medunsup.core.pace import Pace
from medunsup.core.paths import short_names

if TYPE_CHECKING:
    from medunsup.cohort.batch import Outcome

FAILED, WRONG_USE, BAD_VERDICT, INTERRUPTED, TERMINATED = 1, 2, 3, 130, 143
N_STEPS = 10
DIGITS = 6
# Their warnings say what becomes of what was given or learned; those of a scan go into its record.
TOLD = ("medunsup.workflows.", "medunsup.cohort.", "medunsup.anomaly.", "medunsup.io.files.walk")
PLACES = "medunsup.cohort.places"
KEPT = "what was complete is kept: run the same command again to go on"


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
def one_line_errors(
    *, debug: bool = False, as_json: bool = False, quiet: bool = False, kept: str = KEPT
) -> Iterator[None]:
    """Turn errors into one line on stderr and an exit code; `debug` shows the traceback too.

    `kept` says what is left of a command that was interrupted.
    """
    from medunsup.core.errors import MedunsupError, is_wrong_use
    from medunsup.training.signals import StoppedError

    try:
        with _logging_to_stderr(debug, quiet):
            yield
    except KeyboardInterrupt:
        _fail(f"Interrupted; {kept}.", INTERRUPTED, as_json)
    except SystemExit as end:
        if end.code != TERMINATED:
            raise
        _fail(f"Ended from outside; {kept}.", TERMINATED, as_json)
    except StoppedError as stopped:
        _fail(str(stopped), 128 + stopped.number, as_json)
    except MedunsupError as error:
        if debug:
            traceback.print_exc()
        _fail(str(error), WRONG_USE if is_wrong_use(error) else FAILED, as_json)
    except (typer.Exit, BrokenPipeError):  # a plain end, or the reader of our output has gone, as `head` does
        raise
    except Exception as error:  # noqa: BLE001 - a defect of ours is told in one line as well
        if debug:
            traceback.print_exc()
        told = " ".join(f"unexpected {error!r}. --debug shows where.".split())
        _fail(told, FAILED, as_json)


class _ToStderr(logging.StreamHandler):
    """Writes to what stderr is when something is logged: a moving bar makes room for it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one entry."""
        self.stream = sys.stderr
        super().emit(record)


@contextmanager
def _logging_to_stderr(debug: bool, quiet: bool) -> Iterator[None]:
    """Show logged errors, and with `debug` all of the log; warnings that matter are in a scan's record.

    Those about what was given belong to no scan: they are shown unless `quiet`.
    """
    handler = _ToStderr()
    told = () if quiet else TOLD
    handler.addFilter(lambda entry: debug or entry.levelno >= logging.ERROR or entry.name.startswith(told))
    handler.setFormatter(logging.Formatter("medunsup: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("medunsup", "py.warnings")]
    logging.captureWarnings(True)
    for logger in loggers:
        logger.addHandler(handler)
    places = logging.getLogger(PLACES)
    level = places.level
    places.setLevel(logging.INFO)
    try:
        yield
    finally:
        places.setLevel(level)
        logging.captureWarnings(False)
        for logger in loggers:
            logger.removeHandler(handler)


def _fail(message: str, code: int, as_json: bool) -> None:
    typer.echo(f"medunsup: {message}", err=True)
    if as_json:
        print_json({"error": message, "exit_code": code})
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Print the one object that --json promises; fractions have six digits that count."""
    typer.echo(json.dumps(_rounded(value), indent=2, ensure_ascii=False))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None  # JSON has no such number
    before_the_point = math.floor(math.log10(abs(value))) + 1 if value else 0
    return round(value, max(0, DIGITS - before_the_point))
