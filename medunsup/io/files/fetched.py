"""Files of git-annex (DataLad) and Git LFS whose content has not been fetched: told by what stands there."""

import re
import shlex
from pathlib import Path

from medunsup.core.errors import InputError

POINTER_BYTES = 1024
MOST_LINKS = 40  # as many as an operating system follows, one to the other
ANNEX = re.compile(r"(/|(\.\./)*\.git/(.+/)?)annex/objects/")  # also of a link kept as text
LFS = "version https://git-lfs.github.com/spec/"


def check_fetched(path: Path) -> None:
    """Raise InputError with the command that fetches it if a file's content has not been fetched.

    A file that is missing for another reason passes: whoever opens it tells.
    """
    command = how_to_fetch(path)
    if command:
        raise InputError(f"{path}: its content has not been fetched. {command}")


def how_to_fetch(path: Path, folder: Path | None = None) -> str:
    """Say how to fetch a file's content, or that of all files of a `folder` it lies in.

    Empty if the content is there, or if nothing tells where it is kept. git-annex leaves a link into
    `.git/annex/objects`, or a small text that names such a place; Git LFS a small text that begins with its
    version.
    """
    start = _start(path)
    if ANNEX.match(start):
        whole, name = shlex.quote(str(folder or path)), "." if folder else shlex.quote(path.name)
        return f"Fetch it with `datalad get {whole}`, or in its folder with `git annex get {name}`."
    if start.startswith(LFS):
        which = "" if folder else f" --include={shlex.quote(path.name)}"
        return f"Fetch it in its folder with `git lfs pull{which}`."
    return ""


def _start(path: Path) -> str:
    """Return the first bytes of a file, or where the last of a chain of links leads if nothing is there."""
    try:
        if not path.is_symlink() or path.exists():
            with path.open("rb") as file:
                return file.read(POINTER_BYTES).decode("ascii", "replace")
        target, links = path, 0
        while target.is_symlink() and links < MOST_LINKS:
            leads_to = target.readlink()
            target, links = target.parent / leads_to, links + 1
    except OSError:
        return ""
    inside = leads_to.as_posix()
    return inside if not leads_to.is_absolute() else inside[max(inside.find("/annex/objects/"), 0) :]
