"""The front door: any scan a user may hand over becomes a `Volume`, or an error that says what to do."""

from pathlib import Path
from typing import Literal

from medunsup.core.errors import UsageError
from medunsup.core.paths import user_path
from medunsup.core.volume import Volume
from medunsup.io.sniff import Format, sniff

Coordinates = Literal["auto", "sform", "qform"]


def load(
    path: str | Path,
    *,
    volume: int | None = None,
    series: str | int | None = None,
    coordinates: Coordinates = "auto",
) -> Volume:
    """Read a NIfTI, MGZ or DICOM scan as a RAS+ float32 `Volume`.

    `path` is a file, or a folder of DICOM files. `volume` picks one volume, counted from 0, of a 4D file;
    `series` picks one DICOM series of several, by its number or UID; `coordinates` says which of a
    NIfTI file's two coordinate systems to use where they disagree.

    `Volume.source` remembers the input's own grid, its hash, and what was chosen on the way.

    Raises InputError or GeometryError naming the file, slice or field at fault and the way out;
    UsageError for a volume or series that is not there; DependencyError if DICOM pixels need a codec that
    is not installed.

    Examples
    --------
    >>> scan = load("sub-01_T1w.nii.gz")  # doctest: +SKIP
    >>> scan.shape, scan.spacing_mm, scan.source.notes  # doctest: +SKIP
    ((176, 240, 256), (1.0, 1.0, 1.0), {'coordinates': 'sform'})
    """
    path = user_path(path)
    form = sniff(path)
    if form is Format.DICOM:
        from medunsup.io.dicom import load_dicom

        return load_dicom(path, series=series, volume=volume)
    if series is not None:
        raise UsageError(
            f"{path}: --series picks a DICOM series, but this is a {form.value} file. Leave it out."
        )
    from medunsup.io.nifti import load_nifti

    return load_nifti(path, form, volume=volume, coordinates=coordinates)
