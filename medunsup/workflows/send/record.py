"""Which files an archive has taken: a line each, in a hidden file beside them, so that none goes twice."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from medunsup.io.dicom_net.storable import Storable
from medunsup.io.files.hashes import hash_file

NAME = ".medunsup_sent.tsv"  # hidden: results are found beside it, and it is none

log = logging.getLogger(__name__)


class Record:
    """What one archive took of the files below some folders.

    A line holds the archive, the object's identifier and the SHA-256 of the file. Lines are only ever added;
    one that was cut off by a kill does not count, so that its file is sent again.
    """

    def __init__(self, archive: str) -> None:
        self.archive = archive
        self.known: dict[Path, dict[str, str]] = {}
        self.unwritable: set[Path] = set()

    def has(self, file: Storable, folder: Path) -> bool:
        """Whether the archive took this very file."""
        return self._of(folder).get(file.sop_instance) == hash_file(file.path)

    def has_other(self, file: Storable, folder: Path) -> bool:
        """Whether the archive took another file under this identifier."""
        return file.sop_instance in self._of(folder)

    def add(self, file: Storable, folder: Path) -> None:
        """Note that the archive has the file; where that cannot be written, say so once."""
        sha256 = hash_file(file.path)
        path = folder / NAME
        try:
            with path.open("ab+") as lines:
                if lines.tell() and not _ends_a_line(lines):
                    lines.write(b"\n")
                lines.write(f"{self.archive}\t{file.sop_instance}\t{sha256}\n".encode())
        except OSError as error:
            if folder not in self.unwritable:
                log.warning("%s: cannot be written (%s): the next run sends all again.", path, error.strerror)
            self.unwritable.add(folder)
        self._of(folder)[file.sop_instance] = sha256

    def _of(self, folder: Path) -> dict[str, str]:
        if folder not in self.known:
            self.known[folder] = dict(self._lines(folder / NAME))
        return self.known[folder]

    def _lines(self, path: Path) -> Iterator[tuple[str, str]]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for line in text.split("\n")[:-1]:
            cells = line.split("\t")
            if len(cells) == 3 and cells[0] == self.archive:
                yield cells[1], cells[2]


def _ends_a_line(file: BinaryIO) -> bool:
    file.seek(-1, 2)
    return file.read(1) == b"\n"
