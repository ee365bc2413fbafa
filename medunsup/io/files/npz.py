"""Named arrays in one file (npz), kept to be used again: written whole, and never taken if damaged."""

import io
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from medunsup.io.files.atomic import atomic_path, other_output

# Of a missing or damaged file; zipfile raises RuntimeError where a flipped bit says "encrypted", or a method
# of packing that it does not know.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile, zlib.error)


def write_npz(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    *,
    compress: bool = True,
    instead: Callable[[], str] = other_output,
) -> None:
    """Write arrays by name; the same arrays always give the same bytes.

    Raises OutputError on a full or unwritable disk; `instead` names what to choose instead.
    """
    save, named = np.savez_compressed if compress else np.savez, dict[str, Any](arrays)
    with atomic_path(path, instead=instead) as temporary, temporary.open("wb") as file:
        save(file, **named)


def read_npz(path: Path) -> dict[str, NDArray[Any]] | None:
    """Read all arrays; None if the file is not there or damaged."""
    try:
        with NpzFile(io.BytesIO(path.read_bytes()), own_fid=True, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept}
    except UNREADABLE:
        return None
