"""All files below a folder, as every verb lists them: links entered once, hidden names passed over."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from medunsup.io.files.fetched import how_to_fetch

log = logging.getLogger(__name__)

Identity = tuple[int, int]


def files_below(folder: Path) -> list[Path]:
    """List the files of a folder and of all folders below it, in order of their paths.

    Names that begin with a dot are passed over, files and folders (`.git` holds every file of a DataLad set
    again). A link to a folder is entered as if it were that folder, but no folder is entered twice and none
    that the link itself lies in, so links in a circle do no harm; where a folder is there itself and as a
    link, the files have the names they have in the folder itself. A link to a file that is not there is
    listed, so that who reads it tells what is wrong (see `io.files.fetched`). A folder that may not be read,
    or a link to one that is not there, is named in the log. What is no folder holds nothing.
    """
    if not folder.is_dir():
        return []
    real = folder.resolve()
    entered = {_identity(each) for each in (real, *real.parents)}
    files, links = _without_links(folder, entered)
    while links:
        link = links.pop(0)
        if _leads_up(link) or not _is_first_visit(link, entered):
            continue
        more, further = _without_links(link, entered)
        files += more
        links = sorted(links + further)
    tell_of_lost_folders(files)
    return sorted(files)


def tell_of_lost_folders(files: Iterable[Path]) -> None:
    """Name links to nothing that are called as folders are, without an ending: scans may have lain there."""
    links = [path for path in files if not path.suffix and path.is_symlink()]
    lost = [path for path in links if not _is_there(path) and not how_to_fetch(path)]
    if lost:
        more = f", as do {len(lost) - 1} other links" if len(lost) > 1 else ""
        log.warning("%s: leads to nothing%s; what lay there is left out.", lost[0], more)


def _without_links(folder: Path, entered: set[Identity]) -> tuple[list[Path], list[Path]]:
    """List the files below a folder without entering links, and the links to folders that were met."""
    files: list[Path] = []
    links: list[Path] = []
    for here, names_of_folders, names_of_files in os.walk(folder, onerror=_tell):
        folders = [Path(here, name) for name in names_of_folders if not name.startswith(".")]
        links += [each for each in folders if each.is_symlink()]
        names_of_folders[:] = [
            each.name for each in folders if not each.is_symlink() and _is_first_visit(each, entered)
        ]
        others = [Path(here, name) for name in names_of_files if not name.startswith(".")]
        files += [each for each in others if _is_file_or_lost(each)]
    return files, sorted(links)


def _is_first_visit(folder: Path, entered: set[Identity]) -> bool:
    """Note that a folder is entered; False if it was before, under any name."""
    identity = _identity(folder)
    is_first = identity not in entered
    entered.add(identity)
    return is_first


def _identity(folder: Path) -> Identity:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _leads_up(link: Path) -> bool:
    """Whether a link leads to a folder that it lies in."""
    return link.parent.resolve().is_relative_to(link.resolve())


def _is_file_or_lost(path: Path) -> bool:
    """Whether a path is a file or a link to nothing; pipes and devices, which may block, are neither."""
    try:
        return path.is_file() or not path.exists()
    except OSError:  # a link to where nobody may look: reading it tells
        return True


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True


def _tell(error: OSError) -> None:
    log.warning("%s: cannot be read (%s), its files are left out.", error.filename, error.strerror)
