"""Paths beside a scan, given once for many: {folder}, {stem} and {id} are filled in from each scan's own."""

from collections.abc import Sequence
from pathlib import Path

from medunsup.core.errors import UsageError
from medunsup.core.paths import user_path
from medunsup.io.bids.names import stem


def placeholders(scan: Path) -> dict[str, str]:
    """List what a pattern may hold, with a scan's values; `id` is the stem without its last _part."""
    name = stem(scan)
    return {"folder": str(scan.parent), "stem": name, "id": name.rsplit("_", 1)[0]}


def fill(pattern: str | Path, scan: Path) -> Path:
    """Fill the placeholders of a path from a scan's own. Raises UsageError for one that is not known."""
    try:
        return user_path(str(pattern).format(**placeholders(scan)))
    except (KeyError, IndexError, ValueError) as error:
        raise UsageError(f"{pattern}: only {{folder}}, {{stem}} and {{id}} can be filled in.") from error


def check_patterns(paths: Sequence[str | Path], n_scans: int) -> None:
    """Raise UsageError if one of the files given beside the scans is the same for several of them."""
    plain = next((path for path in paths if "{" not in str(path)), None)
    if plain is not None and n_scans > 1:
        raise UsageError(
            f"{plain} is one file for {n_scans} scans. Name each scan's own with a pattern, "
            "such as '{folder}/{stem}_mask.nii.gz'."
        )
