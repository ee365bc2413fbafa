"""Which log entries a user of the command line reads.

A warning is for everyone, unless it is kept in a scan's record: that is printed with the scan's result.
"""

import logging
from typing import Any

HELD, NEWS = {"is_in_record": True}, {"is_news": True}


def warn_of_record(log: logging.Logger, message: str, *values: Any) -> None:
    """Log a warning that a scan's record holds as well: the command line shows it with the result."""
    log.warning(message, *values, extra=HELD)


def tell(log: logging.Logger, message: str, *values: Any) -> None:
    """Log what is no warning, and that a user of the command line should read all the same."""
    log.info(message, *values, extra=NEWS)


def is_for_terminal(entry: logging.LogRecord) -> bool:
    """Whether the command line shows an entry when it is asked neither for more nor for less."""
    is_of_ours = entry.name.partition(".")[0] == "medunsup"
    is_warning = entry.levelno >= logging.WARNING and not hasattr(entry, "is_in_record")
    return is_of_ours and (is_warning or hasattr(entry, "is_news"))
