"""By what an input is known: one hash of all that it is read from, whichever of its files was named."""

from collections.abc import Iterable
from hashlib import file_digest, sha256
from pathlib import Path

from medunsup.core.errors import InputError, MissingError
from medunsup.io.files.companions import files_of
from medunsup.io.files.walk import files_below


def hash_input(path: Path) -> str:
    """SHA-256 of a scan: of its file, of both halves of a .hdr/.img pair and its .mat, or of a folder.

    The files of a folder count as a set, so that their names do not matter; hidden ones, which desktops
    leave there and loading passes over, do not count. Several files are hashed as the text of their hashes.

    Raises InputError if it cannot be read.
    """
    try:
        if path.is_dir():
            return hash_files(files_below(path))
        return _joined(map(hash_file, files_of(path)))
    except FileNotFoundError as error:
        raise MissingError(f"{path}: there is no such file or folder. Check the path.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def hash_files(paths: Iterable[Path]) -> str:
    """SHA-256 of a set of files, whatever their names and order."""
    return _joined(sorted(map(hash_file, paths)))


def hash_file(path: Path) -> str:
    """SHA-256 of one file's bytes, as hexadecimal text."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _joined(hashes: Iterable[str]) -> str:
    each = list(hashes)
    return each[0] if len(each) == 1 else sha256("".join(each).encode()).hexdigest()
