"""Find the scans of a BIDS data set."""

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path

from medunsup.core.errors import InputError, UsageError
from medunsup.core.paths import check_folder
from medunsup.io.bids.filter import BidsFilter
from medunsup.io.bids.names import contrast_of_suffix, is_data_set
from medunsup.io.files.walk import files_below, tell_of_lost_folders

log = logging.getLogger(__name__)


def find_scans(
    root: Path, participants: Sequence[str] = (), contrast: str = "T1w", filters: Sequence[BidsFilter] = ()
) -> list[Path]:
    """List the anatomical scans of one contrast, of all participants or of those named.

    Each of `filters` must take a scan.

    Raises UsageError if this is no BIDS data set or a participant is not in it, InputError if there is no
    scan of that contrast.
    """
    check_folder(root)
    if not is_data_set(root):
        raise UsageError(f"{root}: is no BIDS data set (dataset_description.json is missing).")
    entries = sorted(root.glob("sub-*"))
    there = {folder.name: folder for folder in entries if folder.is_dir()}
    tell_of_lost_folders(entries)
    _tell_of_empty_folders(list(there.values()))
    asked = [f"sub-{label.removeprefix('sub-')}" for label in participants] or list(there)
    unknown = [name for name in asked if name not in there]
    if unknown:
        raise UsageError(f"{root}: has no {', '.join(unknown)}. It has {', '.join(list(there)[:10])}.")
    files = [path for name in asked for path in files_below(there[name]) if path.parent.name == "anat"]
    images = [path for path in files if path.name.lower().endswith((".nii", ".nii.gz"))]
    scans = [path for path in images if contrast_of_suffix(path.name) == contrast]
    if not scans:
        raise InputError(f"{root}: no {contrast} scan of {', '.join(asked) or 'anybody'} in an anat folder.")
    taken = [path for path in scans if all(each.takes(path) for each in filters)]
    if not taken:
        told = "; ".join(filter(None, map(str, filters)))
        raise InputError(f"{root}: none of its {len(scans)} {contrast} scans has {told}. Check the labels.")
    return taken


def holds_subjects(folder: Path) -> bool:
    """Whether a folder is a BIDS data set that has folders of subjects."""
    return is_data_set(folder) and any(each.is_dir() for each in folder.glob("sub-*"))


def _tell_of_empty_folders(folders: Sequence[Path]) -> None:
    """Name subjects without any file: DataLad leaves such folders for data sets that are not installed."""
    empty = [folder for folder in folders if not any(folder.iterdir())]
    if empty:
        log.warning(
            "%s: is empty (%d of the %d subjects' folders are). If it is a DataLad data set of its own, "
            "install it: datalad get -n %s",
            empty[0],
            len(empty),
            len(folders),
            shlex.quote(str(empty[0])),
        )
