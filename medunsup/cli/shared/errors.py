"""How a command ends: errors in one line on stderr, exit codes, and which log entries are shown."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from medunsup.cli.shared.json_output import print_json
from medunsup.core.notice import is_for_terminal

FAILED, WRONG_USE, BAD_VERDICT, INTERRUPTED, TERMINATED = 1, 2, 3, 130, 143
KEPT = "what was complete is kept: run the same command again to go on"


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
    """Show logged errors, unless `quiet` what a user should read, and with `debug` all of the log."""
    handler = _ToStderr()
    handler.addFilter(
        lambda entry: debug or entry.levelno >= logging.ERROR or (not quiet and is_for_terminal(entry))
    )
    handler.setFormatter(logging.Formatter("medunsup: %(message)s"))
    ours = logging.getLogger("medunsup")
    loggers = (ours, logging.getLogger("py.warnings"))
    logging.captureWarnings(True)
    for logger in loggers:
        logger.addHandler(handler)
    level = ours.level
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.setLevel(level)
        logging.captureWarnings(False)
        for logger in loggers:
            logger.removeHandler(handler)


def _fail(message: str, code: int, as_json: bool) -> None:
    typer.echo(f"medunsup: {message}", err=True)
    if as_json:
        print_json({"error": message, "exit_code": code})
    raise typer.Exit(code)
