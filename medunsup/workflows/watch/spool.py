"""Series as they arrive: files by study and series, and a record of each that was processed.

A file is either there whole or not at all, and its sender hears Success only after that. The record of a
series is renamed into place once its result is: a series without one is processed when the spool is opened
again.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from medunsup.core.errors import InputError, OutputError
from medunsup.io.dicom_net.received import Received, identify
from medunsup.io.files.atomic import UNFINISHED, write_bytes, write_json
from medunsup.io.files.lock import locked

LOCK = ".medunsup_watch.lock"
FOLDER_MODE = 0o700  # patients' images: for nobody else

log = logging.getLogger(__name__)


@dataclass
class _Series:
    """One series of the spool that is not processed yet."""

    last: float
    files: set[str] = field(default_factory=set)
    count: int | None = None


class Spool:
    """The series in a folder; use `opened`, which keeps a second watcher out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: dict[Path, _Series] = {}
        self.closed: set[Path] = set()
        self.guard = Lock()
        for series in sorted(path for path in folder.glob("study-*/series-*") if path.is_dir()):
            self._found(series)

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator["Spool"]:
        """Open a spool for this process alone; what a killed one left half written is removed.

        Raises OutputError if another process watches it, or it cannot be written.
        """
        with locked(folder / LOCK):
            folder.chmod(FOLDER_MODE)
            yield cls(folder)

    def take(self, received: Received, content: bytes) -> None:
        """Keep one object; it is on disk when this returns. One that is there already is not written again.

        Raises OutputError if it cannot be written.
        """
        series = self.folder / received.series_folder
        path = series / received.file_name
        is_news = not _holds(path, content)
        if is_news:
            write_bytes(path, content)
            _sync(series, series.parent, self.folder)
        with self.guard:
            if series not in self.closed:
                known = self.open.setdefault(series, _Series(monotonic()))
                known.last, known.count = monotonic(), received.count or known.count
                known.files.add(path.name)
                return
        if is_news:
            log.warning(
                "%s: a file came after the series was processed; it is kept, and not in the result. To "
                "process the series again, delete %s and its results.",
                series.name,
                record_path(series),
            )

    def heard(self, received: Received) -> None:
        """Note that its sender goes on sending."""
        with self.guard:
            if known := self.open.get(self.folder / received.series_folder):
                known.last = monotonic()

    def next_complete(self, quiet_for: float, later: set[Path]) -> Path | None:
        """Close and return a series that is complete, the longest waiting first; those of `later` wait."""
        now = monotonic()
        with self.guard:
            for series, known in sorted(self.open.items(), key=lambda item: item[1].last):
                is_all_there = known.count is not None and len(known.files) >= known.count
                is_free = series not in later and series not in self.closed
                if is_free and (is_all_there or now - known.last >= quiet_for):
                    self.closed.add(series)
                    return series
        return None

    def reopen(self, series: Path) -> None:
        """Let a series wait again, whose processing could not begin."""
        with self.guard:
            self.closed.discard(series)

    def record(self, series: Path, facts: dict[str, Any]) -> None:
        """Note for good what became of a series. Raises OutputError if that cannot be written."""
        first = identify(next(series.glob("*.dcm")))
        uids = {"StudyInstanceUID": first.study, "SeriesInstanceUID": first.series}
        write_json(record_path(series), uids | facts)
        _sync(series.parent)
        with self.guard:
            self.open.pop(series, None)

    def missing(self, series: Path) -> str:
        """Say how many files its header names that did not come; nothing if none is missing."""
        known = self.open.get(series)
        if known is None or known.count is None or len(known.files) >= known.count:
            return ""
        return f"the header names {known.count} files of the series, and {len(known.files)} came"

    @property
    def is_empty(self) -> bool:
        """Whether no series waits."""
        return not self.open

    def _found(self, series: Path) -> None:
        for half in series.glob(f".*{UNFINISHED}"):
            half.unlink()
        if _is_record(record_path(series)):
            self.closed.add(series)
            return
        files = {path.name for path in series.glob("*.dcm")}
        if files:
            with suppress(InputError):
                count = identify(series / min(files)).count
                self.open[series] = _Series(monotonic(), files, count)


def record_path(series: Path) -> Path:
    """Name the file that says what became of a series."""
    return series.with_name(f"{series.name}.json")


def _is_record(path: Path) -> bool:
    try:
        return "status" in json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: is no record of ours. Delete it to process that series again.") from error


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


def _sync(*folders: Path) -> None:
    """Have the names in folders on disk, not only the files."""
    for folder in folders:
        with suppress(OSError):  # not every file system can
            number = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)
