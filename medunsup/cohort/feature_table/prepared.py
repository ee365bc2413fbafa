"""The prepared scans that the rows of a table of `embed` were made of, where they are still there."""

from collections.abc import Mapping, Sequence
from pathlib import Path


def prepared_scans(
    keys: Mapping[str, Sequence[str]], attributes: Mapping[str, object], beside: Path
) -> dict[int, Path]:
    """Return the prepared scan of each row, where the table says which it is and it is there."""
    about = attributes.get("prepared")
    if not isinstance(about, dict) or "scan" not in keys:
        return {}
    folder, names = beside / str(about.get("folder", "")), about.get("scans", {})
    places = {row: folder / f"{names.get(scan)}.npz" for row, scan in enumerate(keys["scan"])}
    return {row: place for row, place in places.items() if place.is_file()}
