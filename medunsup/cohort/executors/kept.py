"""Values that workers and the process that waits for them hand each other in files."""

import pickle
from pathlib import Path
from typing import Any

from medunsup.io.files.atomic import write_bytes


def keep(path: Path, value: Any) -> None:
    """Write a value of Python, whole or not at all."""
    write_bytes(path, pickle.dumps(value))


def read_kept(path: Path) -> Any:
    """Read what `keep` wrote; a process of this user did, so it can be trusted."""
    return pickle.loads(path.read_bytes())
