"""Write many files under temporary names and move them into place together.

A run killed while it writes leaves only a hidden folder; the next run clears it. A run killed while it
moves has left a journal there; the next run finishes the moves.
"""

import re
import secrets
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from medunsup.core.errors import OutputError, UsageError
from medunsup.core.hints import option
from medunsup.io.files.atomic import write_text

PREFIX = ".medunsup-staging-"
TOKEN_BYTES = 4
JOURNAL = "journal.txt"
STAGED = re.compile(rf"{re.escape(PREFIX)}(.*)\.[0-9a-f]{{{2 * TOKEN_BYTES}}}", re.DOTALL)


class Staging:
    """A hidden folder beside the results of one scan; use it in a `with` block, under the lock."""

    def __init__(self, folder: Path, stem: str) -> None:
        self.folder = folder
        self.made = not_there(folder)
        self.hidden = folder / f"{PREFIX}{stem}.{secrets.token_hex(TOKEN_BYTES)}"

    def __enter__(self) -> "Staging":
        try:
            self.hidden.mkdir(parents=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        return self

    def place(self, target: Path) -> Path:
        """Say where to write the file that will become `target`."""
        place = self.hidden / self._inside(target)
        if place.parent != self.hidden:
            place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _inside(self, target: Path) -> Path:
        """Return where a file lies in the folder, which may be in a folder of its own."""
        is_in = target.is_relative_to(self.folder)
        return target.relative_to(self.folder) if is_in else Path(target.name)

    def publish(self, last: Path, outdated: Sequence[Path] = ()) -> None:
        """Move every file written so far to its place; `last` goes away first and comes back last.

        Where `last` is, all the others are, and they belong together: files of an earlier result in
        `outdated` that were not written anew are removed.
        """
        files = (file.relative_to(self.hidden) for file in self.hidden.rglob("*") if file.is_file())
        names = sorted(file.as_posix() for file in files if file.as_posix() != last.name)
        write_text(self.hidden / JOURNAL, "\n".join([*names, last.name]) + "\n")
        try:
            last.unlink(missing_ok=True)
            for path in outdated:
                if self._inside(path).as_posix() not in names:
                    path.unlink(missing_ok=True)
            _move(self.hidden, self.folder)
            remove_empty({path.parent for path in outdated if path.parent != self.folder})
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not (self.hidden / JOURNAL).exists():
            shutil.rmtree(self.hidden, ignore_errors=True)
            remove_empty(self.made)
        if isinstance(error, OutputError):  # name the file the user knows
            raise OutputError(str(error).replace(str(self.hidden), str(self.folder))) from error


def refuse_foreign_files(
    folder: Path, names: Iterable[str], last: str, *, read: Iterable[Path | None] = (), force: bool = False
) -> None:
    """See that writing `names` into `folder` replaces nothing but an earlier result, which `last` ends.

    Raises UsageError if one of the files `read` would be replaced, whatever `force`; OutputError if a file of
    one of the names is there without `last`, unless `force` is set.
    """
    targets = {(folder / name).resolve() for name in (*names, last)}
    for path in read:
        if path is not None and path.resolve() in targets:
            raise UsageError(
                f"{path}: would be replaced by a result of its name. Choose another folder ({option('out')})."
            )
    if force or (folder / last).exists():
        return
    for target in sorted(targets):
        if target.exists():
            raise OutputError(
                f"{target}: is there already and not ours. "
                f"Move it, or choose another folder with {option('out')}."
            )


def recover(folder: Path, stem: str) -> None:
    """Finish or clear what killed runs left of one scan; call it under the lock."""
    recover_all([(folder, stem)])


def recover_all(places: Iterable[tuple[Path, str]]) -> None:
    """Do the same for many scans, each by folder and stem; a folder is looked through once."""
    stems: dict[Path, set[str]] = {}
    for folder, stem in places:
        stems.setdefault(folder, set()).add(stem)
    for folder, own in stems.items():
        try:
            for hidden in [path for path in folder.glob(f"{PREFIX}*") if _stem_of(path) in own]:
                if (hidden / JOURNAL).exists():
                    _move(hidden, folder)
                else:
                    shutil.rmtree(hidden, ignore_errors=True)
        except OSError as error:
            raise unwritable(folder, error) from error


def _stem_of(hidden: Path) -> str | None:
    """Return whose staging it is: the whole token is cut off, so that "scan" is not taken for "scan.1"."""
    found = STAGED.fullmatch(hidden.name)
    return found[1] if found else None


def not_there(folder: Path) -> list[Path]:
    """List a folder and those above it that are still to be made, the innermost first."""
    return [each for each in (folder, *folder.parents) if not each.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders as long as nothing is in them, so that a run that failed leaves none behind."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def unwritable(folder: Path, error: OSError) -> OutputError:
    """Say what is wrong with the output folder."""
    return OutputError(
        f"{folder}: cannot be written ({error.strerror}). Choose another folder with {option('out')}."
    )


def _move(hidden: Path, folder: Path) -> None:
    """Do the journal's moves, or those of them that are left."""
    names = (hidden / JOURNAL).read_text(encoding="utf-8").splitlines()
    left = [name for name in names if (hidden / name).exists()]
    if left:
        (folder / names[-1]).unlink(missing_ok=True)
    for name in left:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (hidden / name).replace(folder / name)
    (hidden / JOURNAL).unlink()
    shutil.rmtree(hidden)
