"""Stand-ins for scans of which something is kept in a cache, as of prepared scans and of rows of features."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from helpers.stand_in_scans import StandInRequest, do_stand_in
from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import MissingError
from medunsup.io.files.atomic import write_text


@dataclass(frozen=True)
class CachedStandIn:
    """A stand-in of which a file is kept in the cache, named after what it holds."""

    request: ScanRequest
    cache: Path

    @property
    def place(self) -> Path:
        if not self.request.path.is_file():
            raise MissingError(f"{self.request.path}: there is no such file.")
        return self.cache / f"{self.request.path.stem}_{self.request.path.read_text()}.kept"


def do_cached(task: CachedStandIn, say: Callable[[str], None]) -> Outcome:
    """Return what is kept, or do what the stand-in's file says."""
    return attempt(task.request.path, Outcome, lambda: _done(task, say))


def _done(task: CachedStandIn, say: Callable[[str], None]) -> Outcome:
    if not task.place.is_file():
        made = do_stand_in(StandInRequest(task.request), say)
        if made.error is not None:
            return made
        write_text(task.place, "kept")
    return Outcome(task.request.path, "done")
