"""Folders among the scans given: one of NIfTI or MGZ files stands for all scans in it, others are DICOM."""

import logging
from collections.abc import Sequence
from pathlib import Path

from medunsup.cohort.dataset.bids import find_scans, holds_subjects
from medunsup.cohort.dataset.same_scan import magnitude_alone
from medunsup.core.errors import InputError, MedunsupError
from medunsup.io.bids.names import IMAGE_ENDINGS, stem
from medunsup.io.bids.provenance_mark import result_kind
from medunsup.io.files.companions import files_of
from medunsup.io.files.walk import files_below

# The last word of names that are none of a scan.
NOT_SCANS = ("mask", "lesions", "dseg", "probseg", "statmap", "seg", "label", "brainmask")
HEADERS = (".hdr", ".hdr.gz")

log = logging.getLogger(__name__)


def opened(paths: Sequence[Path]) -> list[Path]:
    """Put the scans of each folder of NIfTI or MGZ files in its place; files and DICOM folders stay.

    Results of medunsup, label maps and masks in such a folder are left out, which is logged. Of a BIDS data
    set the T1w scans are taken, none of derivatives. A folder that holds DICOM images of MR as well stays the
    DICOM folder that it is.

    Raises InputError for a folder in which all images are left out.
    """
    return [scan for path in paths for scan in (_scans_of(path) if path.is_dir() else [path])]


def images_below(folder: Path) -> list[Path]:
    """List NIfTI and MGZ files and .hdr/.img pairs below a folder, but those named as no scan (x_mask)."""
    images = [path for path in files_below(folder) if _is_image(path)]
    return [path for path in images if stem(path).rsplit("_", 1)[-1].lower() not in NOT_SCANS]


def no_scan(path: Path) -> str:
    """Name what an image is that is no scan by its values; nothing for a scan, or what cannot be read."""
    from medunsup.io.load import load
    from medunsup.metrics.label_map import what_it_is

    try:
        return what_it_is(load(path).data)
    except MedunsupError:  # told when its turn comes
        return ""


def _scans_of(folder: Path) -> list[Path]:
    if holds_subjects(folder):
        scans = magnitude_alone(find_scans(folder))
        log.warning(
            "%s: %s of a BIDS data set. For others, or some of them, give the files themselves.",
            folder,
            _counted(len(scans), "T1w scan", "T1w scans"),
        )
        return scans
    files = files_below(folder)
    images = [path for path in files if _is_image(path)]
    if not images:
        return [folder]
    others = [path for path in files if not _is_image(path)]
    if _holds_mr(folder, others):
        log.warning(
            "%s: its DICOM images are taken, not its %d NIfTI or MGZ files. For these, give them themselves.",
            folder,
            len(images),
        )
        return [folder]
    by_name = magnitude_alone(images_below(folder))
    results = {path for path in images if result_kind(path)}
    scans = [path for path in by_name if path not in results and not no_scan(path)]
    n_others = len(images) - len(scans) - len(results)
    told = ", ".join(
        _counted(n, *what)
        for n, *what in (
            (len(results), "result of medunsup", "results of medunsup"),
            (n_others, "label map or mask", "label maps or masks"),
        )
        if n
    )
    if not scans:
        raise InputError(
            f"{folder}: holds no scan. Left out: {told}. Give a folder of scans, or a scan itself."
        )
    n_scans = _counted(len(scans), "scan", "scans")
    log.warning("%s: %s%s.", folder, n_scans, f"; left out: {told}" if told else "")
    return scans


def _counted(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def _is_image(path: Path) -> bool:
    """Whether a name is that of an image; of a pair the header counts, if its other half is there."""
    name = path.name.lower()
    return name.endswith(IMAGE_ENDINGS) or (name.endswith(HEADERS) and len(files_of(path)) > 1)


def _holds_mr(folder: Path, others: Sequence[Path]) -> bool:
    """Whether DICOM images of MR lie in a folder among its other files."""
    from medunsup.io.dicom.find import NO_DICOM, find_series
    from medunsup.io.dicom.series import check_series

    if all(path.name.lower().endswith((*NO_DICOM, ".hdr", ".img")) for path in others):
        return False
    try:
        found = find_series(folder).series
    except InputError:
        return False
    for series in found:
        try:
            check_series(folder, series)
        except InputError:
            continue
        return True
    return False
