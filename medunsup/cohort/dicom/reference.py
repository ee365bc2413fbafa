"""The DICOM series that a scan's results refer to: its own, or the one it was converted from."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import GeometryError
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
