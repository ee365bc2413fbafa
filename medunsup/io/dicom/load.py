"""DICOM series through pydicom, placed in space by highdicom."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError
from medunsup.core.geometry import Affine, Grid
from medunsup.core.volume import Source, Volume, ras_axes
from medunsup.io.dicom.body_part import body_part_of
from medunsup.io.dicom.contrast import acquisition_of, contrast_of, has_contrast_agent, timing_of
from medunsup.io.dicom.find import find_series
from medunsup.io.dicom.geometry import order_slices
from medunsup.io.dicom.headers import Attributes
from medunsup.io.dicom.pixels import decode
from medunsup.io.dicom.series import Series, check_series, pick_series
from medunsup.io.dicom.slices import Slice, slices_of
from medunsup.io.files.hashes import hash_files
from medunsup.io.notes import Notes
from medunsup.io.pixels import SlabWriter

BLOCK = 16  # slices gathered before they are written: whole cache lines of the RAS+ array


def load_dicom(path: Path, *, series: str | int | None = None, volume: int | None = None) -> Volume:
    """Read one DICOM series, of a folder or one file, as RAS+ float32.

    The input grid is (column, row, slice), which is how its results are written as NIfTI.

    Raises InputError or GeometryError naming the slice, file or field at fault and the remedy.
    """
    notes = Notes()
    try:
        ordered, affine = ordered_slices(path, series, volume, notes)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"{path}: a value in a DICOM header is malformed ({error}). Export the series again."
        ) from error
    header = ordered[0].header
    grid = Grid((int(header.Columns), int(header.Rows), len(ordered)), affine)
    axes, flips = ras_axes(affine)
    try:
        writer = SlabWriter(path, grid.shape, axes, flips)
    except MemoryError as error:
        raise InputError(
            f"{path}: an image of {grid.shape} voxels does not fit in memory. Export it again."
        ) from error
    for block in _batched(decode(ordered, notes), BLOCK):
        writer.add(np.stack(block, axis=2))
    data, ras_affine = writer.finish(affine)
    known_by = hash_files({item.path for item in ordered})
    source = Source(
        path=str(path), format="dicom", grid=grid, axes=axes, flips=flips, sha256=known_by, notes=notes
    )
    return Volume(data, ras_affine, source=source)


def ordered_slices(
    path: Path, series: str | int | None, volume: int | None, notes: Notes
) -> tuple[list[Slice], Affine]:
    """Find the series and put its slices in order."""
    found = find_series(path)
    chosen = pick_series(path, found.series, series, found.hint)
    check_series(path, chosen, found.hint)
    _note_series(path, chosen, found.series, notes)
    planes = [plane for file, header in chosen.files for plane in slices_of(file, header)]
    try:
        ordered, affine = order_slices(path, _magnitude(path, planes, notes), volume, notes)
    except InputError as error:
        if not chosen.more_uids:
            raise
        n_series = len(chosen.more_uids) + 1
        cause = f"Its {n_series} slices have a SeriesInstanceUID each; they were taken for one series."
        raise type(error)(f"{error} {cause}") from error
    _note_scan(ordered[0].attributes, notes)
    return ordered, affine


def _batched(planes: Iterator[NDArray[Any]], size: int) -> Iterator[list[NDArray[Any]]]:
    """Yield lists of up to `size` planes (itertools has it from Python 3.12)."""
    while block := list(islice(planes, size)):
        yield block


def _magnitude(path: Path, planes: list[Slice], notes: Notes) -> list[Slice]:
    """Leave out phase, real and imaginary planes, which some scanners store beside the magnitude."""
    kept = [plane for plane in planes if plane.is_magnitude]
    if not kept:
        raise InputError(f"{path}: is a phase or complex image (ImageType). Give the magnitude series.")
    if len(kept) < len(planes):
        notes.warn(
            path, f"{len(planes) - len(kept)} phase or complex slices are left out; the magnitude is used."
        )
    return kept


def _note_series(path: Path, chosen: Series, found: list[Series], notes: Notes) -> None:
    """Record which series was taken and what of it was not; series names are free text, so they stay out."""
    notes["coordinates"] = "DICOM"
    if chosen.number is not None:
        notes["series_number"] = chosen.number
    if len(found) > 1:
        notes["series_found"] = len(found)
    if chosen.more_uids:
        notes.warn(
            path,
            f"{len(chosen.more_uids) + 1} slices have a SeriesInstanceUID each; they are read as one series, "
            "since study, number, name, frame of reference and matrix agree.",
        )
    if chosen.passed_over:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(chosen.passed_over.items()))
        notes.warn(path, f"objects of the series that are no images of the scan are passed over: {kinds}.")
    promised = int(chosen.header.get("ImagesInAcquisition") or 0)
    if len(chosen.files) > 1 and promised > len(chosen.files):
        notes.warn(
            path, f"{len(chosen.files)} files, but ImagesInAcquisition says {promised}: some may be missing."
        )


def _note_scan(frame: Attributes, notes: Notes) -> None:
    """Record how the scan was acquired: the volume that is taken, not the series' first file."""
    notes["acquisition"] = acquisition_of(frame)
    notes["contrast"] = contrast_of(frame)
    if has_contrast_agent(frame):
        notes["contrast_agent"] = True
    notes["body_part"] = body_part_of(frame)
    notes.update(timing_of(frame))
