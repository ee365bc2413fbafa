"""Write files so that a killed run leaves none that looks finished."""

import errno
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from medunsup.core.errors import OutputError
from medunsup.core.hints import option

UNFINISHED = ".part"


def other_output() -> str:
    """Name what to choose where an output folder will not do."""
    return f"another output folder ({option('out')})"


@contextmanager
def atomic_path(
    path: Path, *, overwrite: bool = True, instead: Callable[[], str] = other_output
) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` once it is on disk.

    The temporary name starts with a dot and ends in `.part`, so pass writers their format explicitly.
    On any error or interrupt it is removed and `path` stays as it was. Parent folders are made. `instead`
    names what a message tells the user to choose.

    Raises OutputError on a full disk, an unwritable folder, or an existing file without `overwrite`.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        _make_folder(path.parent)
        yield temporary
        _flush(temporary)
        _publish(temporary, path, overwrite)
    except OSError as error:
        raise OutputError(_explain(path, error, instead())) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str, *, overwrite: bool = True) -> Path:
    """Write UTF-8 text atomically."""
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def write_bytes(path: Path, content: bytes, *, overwrite: bool = True) -> Path:
    """Write bytes atomically."""
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)
    return path


def write_json(path: Path, value: Any, *, overwrite: bool = True) -> Path:
    """Write a value as indented JSON atomically; NaN is refused, since JSON has none."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n", overwrite=overwrite)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error


def _flush(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _publish(temporary: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    path.hardlink_to(temporary)  # fails if `path` exists, even when another run made it a moment ago


def _explain(path: Path, error: OSError, instead: str) -> str:
    if error.errno == errno.ENOSPC:
        return f"{path}: the disk is full. Free some space or choose {instead}."
    if isinstance(error, FileExistsError):
        return f"{path}: exists already. Choose {instead} or pass {option('force', True)} to replace it."
    if isinstance(error, NotADirectoryError):
        return f"{path}: a part of this path is a file, not a folder. Choose {instead}."
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"{path}: cannot be written ({error.strerror}). Choose {instead}."
    return f"{path}: cannot be written ({error.strerror or error})."
