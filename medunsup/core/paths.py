"""Paths as users write them."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from medunsup.core.errors import MissingError, UsageError


def user_path(path: str | Path) -> Path:
    """Put the home folder in place of a leading ~; a name such as ~scan.nii, of no user, stays as it is.

    Raises UsageError for what is no path, such as a loaded scan.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(
            f"A path is wanted, to a file or a DICOM folder, not a {type(path).__name__}: results name "
            "and hash the file they come from. Save it first."
        )
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's raises where there is no such user


def check_folder(folder: Path) -> None:
    """Raise MissingError if what was named as a folder is none."""
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "there is no such folder"
        raise MissingError(f"{folder}: {what}. Check the path.")


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Name each file without its folder, or in full where several have one name."""
    counts = Counter(path.name for path in paths)
    return {path: path.name if counts[path.name] == 1 else str(path) for path in paths}
