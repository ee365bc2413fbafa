"""Values that workers and the process that waits for them hand each other in files."""

import os
import pickle
from pathlib import Path
from typing import Any

from medunsup.core.errors import OutputError
from medunsup.io.files.atomic import write_bytes


def keep(path: Path, value: Any) -> None:
    """Write a value of Python, whole or not at all, in a folder that only this user sees into."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_bytes(path, pickle.dumps(value))


def read_kept(path: Path) -> Any:
    """Read what `keep` wrote. Raises OutputError if another user wrote it: such a file can run programs."""
    with path.open("rb") as file:
        if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
            raise OutputError(f"{path}: another user wrote it. Let one user run all, in their own folder.")
        return pickle.loads(file.read())
