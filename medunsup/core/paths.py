"""Paths as users write them."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def user_path(path: str | Path) -> Path:
    """Put the home folder in place of a leading ~; a name such as ~scan.nii, of no user, stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's raises where there is no such user


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Name each file without its folder, or in full where several have one name."""
    counts = Counter(path.name for path in paths)
    return {path: path.name if counts[path.name] == 1 else str(path) for path in paths}
