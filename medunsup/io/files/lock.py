"""One run at a time on one output folder."""

import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from medunsup.core.errors import OutputError
from medunsup.core.hints import option
from medunsup.io.files.transaction import not_there, remove_empty, unwritable


@contextmanager
def locked(path: Path, *, instead: str = "") -> Iterator[None]:
    """Hold a lock file; one left by a process that is gone is taken over.

    Folders made for it go away with it if nothing was written into them. `instead` names what to choose where
    it is held; by default another folder for the results.

    Raises OutputError if another run holds it or the folder cannot be written.
    """
    made = not_there(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(path, instead or f"another folder with {option('out')}")
    except OSError as error:
        raise unwritable(path.parent, error) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        remove_empty(made)


def _acquire(path: Path, instead: str) -> None:
    """Make the lock file, which fails if it is there; clear a stale one and try again."""
    for _ in range(3):
        try:
            file = path.open("x", encoding="utf-8")
        except FileExistsError:
            _clear_if_stale(path, instead)
            continue
        try:
            with file:
                file.write(json.dumps(this_process()))
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return
    raise OutputError(_held(path, "another run", instead))


def _clear_if_stale(path: Path, instead: str) -> None:
    """Remove the lock if the process that made it is gone. Raises OutputError if it is alive or unknown."""
    try:
        text = path.read_text(encoding="utf-8")
        owner = json.loads(text)
        host, pid, start = owner["host"], int(owner["pid"]), owner["start"]
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        raise OutputError(_held(path, "an unknown run", instead)) from None
    if is_alive(host, pid, start) is not False:
        raise OutputError(_held(path, f"process {pid} on {host}", instead))
    grave = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    path.rename(grave)
    if grave.read_text(encoding="utf-8") != text:  # another run took it over a moment ago: give it back
        grave.rename(path)
        raise OutputError(_held(path, "another run", instead))
    grave.unlink()


def this_process() -> dict[str, Any]:
    """Say by what this process can be known again: its machine, number and start."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "start": _start(os.getpid())}


def is_alive(host: str, pid: int, start: float | None) -> bool | None:
    """Whether a process is still there; None if it is, or was, on another machine."""
    return None if host != socket.gethostname() else _start(pid) == start


def _start(pid: int) -> float | None:
    """When a process began, so that a reused number is not taken for the same one; None if it is gone."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _held(path: Path, owner: str, instead: str) -> str:
    return (
        f"{path.parent}: {owner} is writing here. Wait for it, or choose {instead}. If no run is alive "
        f"there, delete {path.name}."
    )
