"""The DICOM series that a scan's results refer to: its own, or the one it was converted from."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import GeometryError, UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.io.bids.names import IMAGE_ENDINGS
from medunsup.io.load import load

if TYPE_CHECKING:
    from medunsup.io.dicom.export_source import ExportSource

DicomForm = Literal["labelmap", "binary"]
SAME_IMAGE = 0.95  # correlation of voxels; of 8 real heads .64 to .71 with another, .69 to .78 if flipped


def open_source(scan: ScanRequest, reference: Path | None = None) -> "ExportSource":
    """Read the headers of the series that a scan's results refer to, `reference` if it is not the scan.

    Raises GeometryError if `reference` shows another image, InputError if it cannot be referred to.
    """
    from medunsup.io.dicom.export_source import read_source

    if reference is None:
        return read_source(scan.path, series=scan.reading.series, volume=scan.reading.volume)
    source = read_source(reference)
    _check_same_image(scan, reference)
    return source


def check_series(scan: Path, reference: Path | None) -> None:
    """Raise UsageError if a scan is no DICOM series and there is no `reference` either."""
    if reference is None and scan.name.lower().endswith((*IMAGE_ENDINGS, ".hdr", ".img")):
        raise UsageError(
            f"{scan}: is no DICOM series, which DICOM results must refer to. Give the DICOM folder as the "
            f"scan, or the series that it was converted from with {option('reference', 'FOLDER')}."
        )


def check_asked(
    scan: Path, out: str | Path | None, dicom: DicomForm | None, reference: str | Path | None
) -> Path | None:
    """Return the reference as a path; raise UsageError if DICOM files that are asked for cannot be had."""
    check_form(dicom, reference)
    if dicom is None:
        return None
    if out is None:
        raise UsageError(f"DICOM files lie beside the saved result. Say where with {option('out')}.")
    series = None if reference is None else user_path(reference)
    check_series(scan, series)
    return series


def check_form(dicom: DicomForm | None, reference: str | Path | None) -> None:
    """Raise UsageError if there is no such form, or a reference without DICOM files."""
    if dicom is None:
        if reference is not None:
            raise UsageError(f"{option('reference')} is of DICOM files. Add {option('dicom', 'labelmap')}.")
    elif dicom not in ("labelmap", "binary"):
        raise UsageError(f"{option('dicom', dicom)}: is neither labelmap nor binary.")


def _check_same_image(scan: ScanRequest, reference: Path) -> None:
    """Refuse a series that shows another head: series of one protocol may share their grid."""
    how = scan.reading
    image = load(scan.path, volume=how.volume, series=how.series, coordinates=how.coordinates)
    series = load(reference)
    if image.shape != series.shape:
        raise GeometryError(
            f"{reference}: is not the series that the scan was converted from: {series.shape} voxels, the "
            f"scan {image.shape}."
        )
    seen = image.data != 0  # faces are removed by zeros
    alike = float(np.corrcoef(image.data[seen], series.data[seen])[0, 1])
    if not alike >= SAME_IMAGE:
        raise GeometryError(
            f"{reference}: shows another image than {scan.path} (correlation of voxels {alike:.2f}; "
            f"at least {SAME_IMAGE} is needed). Give the series that the scan was converted from."
        )
