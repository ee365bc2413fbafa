"""The folder of a scan's DICOM files: replaced as a whole, when all files of it are there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from medunsup.core.errors import OutputError


@contextmanager
def made_anew(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to write in, which takes the place of `folder` if nothing failed.

    Raises OutputError if the folder cannot be replaced.
    """
    hidden = folder.with_name(f".{folder.name}.part")
    rmtree(hidden, ignore_errors=True)
    try:
        yield hidden
        _replace(folder, hidden)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error}).") from error
    finally:
        rmtree(hidden, ignore_errors=True)


def by_kind(folder: Path) -> dict[str, Path]:
    """List the DICOM files of a folder, each in one of its own, by the kind that `--json` has."""
    return {f"dicom_{path.parent.name}": path for path in sorted(folder.glob("*/*.dcm"))}


def _replace(folder: Path, made: Path) -> None:
    """Put a folder in the place of an earlier one, which is deleted only when the new one is there."""
    earlier = folder.with_name(f".{folder.name}.earlier")
    rmtree(earlier, ignore_errors=True)
    if folder.exists():
        folder.rename(earlier)
    made.rename(folder)
    rmtree(earlier, ignore_errors=True)
