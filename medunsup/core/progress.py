"""Where a long run stands, for whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """What is done now, how much of the run is done (0 to 1), seconds left if known.

    `detail` changes often: it is shown where a line can be written over.
    """

    what: str
    share: float = 0.0
    seconds_left: float | None = None
    detail: str = ""


Told = Callable[[Stage], None]
