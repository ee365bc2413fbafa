"""A folder that others copy DICOM files into: each file goes to the spool once it no longer changes."""

import logging
from pathlib import Path

from medunsup.core.errors import InputError
from medunsup.io.dicom_net.received import identify
from medunsup.io.dicom_net.storable import dicom_files
from medunsup.workflows.watch.spool import Spool

State = tuple[int, int]  # size, time of change

log = logging.getLogger(__name__)


class Inbox:
    """Files of a folder and below; they are copied, never moved or removed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[Path, State] = {}
        self.taken: dict[Path, State] = {}

    def look(self, spool: Spool) -> bool:
        """Take what is the same as at the last look; return whether everything there has been taken.

        Raises OutputError if the spool cannot be written.
        """
        before, self.seen = self.seen, {path: _state(path) for path in dicom_files([self.folder])}
        waiting = {path: state for path, state in self.seen.items() if self.taken.get(path) != state}
        for path, state in waiting.items():
            if before.get(path) == state:
                self._take(path, spool)
                self.taken[path] = state
        return all(self.taken.get(path) == state for path, state in self.seen.items())

    def _take(self, path: Path, spool: Spool) -> None:
        try:
            content = path.read_bytes()
            spool.take(identify(content), content)
        except (InputError, OSError) as error:
            why = error if isinstance(error, InputError) else error.strerror
            log.warning("a file of the folder was passed over: %s.", why)


def _state(path: Path) -> State:
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns
