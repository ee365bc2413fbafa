"""The front door: any scan a user may hand over becomes a `Volume`, or an error that says what to do."""

from pathlib import Path
from typing import Literal

from medunsup.core.errors import UsageError
from medunsup.core.hints import option
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
    """Read a NIfTI, MGZ or DICOM scan into a RAS+ float32 volume.

    `Volume.source` remembers the grid of the file, its hash, and in `notes` what was chosen or repaired.

    Parameters
    ----------
    path : str or Path
        A NIfTI or MGZ file, a DICOM file, or a folder of DICOM files.
    volume : int, optional
        Volume of a 4D file, counted from 0. Without it a file of several volumes is refused.
    series : str or int, optional
        DICOM series of a folder that holds several, by its number or UID. Without it the only MR scan among
        them is taken, or the only 3D T1w one; a folder with more of these is refused.
    coordinates : {'auto', 'sform', 'qform'}, default 'auto'
        Which of a NIfTI file's two coordinate systems to use if they differ. 'auto' takes the sform, unless
        it is unusable or rescales the head.

    Returns
    -------
    Volume
        The scan: `data` (I, J, K) in RAS+ axis order, float32; `affine` to world RAS in mm.

    Raises
    ------
    MissingError
        If there is no such file or folder.
    InputError
        If it is not an image, truncated, empty, or holds several volumes or series and none is picked.
    GeometryError
        If a slice is missing, the gantry is tilted, or the place of the voxels is not known; it names the
        slice or field at fault.
    UsageError
        If the volume or series is not there, or a series is asked of a file that has none.
    DependencyError
        If DICOM pixels need a codec that is not installed.

    Examples
    --------
    >>> import medunsup
    >>> scan = medunsup.load("scan.nii.gz")
    >>> scan.data.dtype, scan.data.ndim
    (dtype('float32'), 3)
    >>> scan.spacing_mm
    (5.0, 5.0, 5.0)
    """
    path = user_path(path)
    form = sniff(path)
    if form is Format.DICOM:
        from medunsup.io.dicom.load import load_dicom

        return load_dicom(path, series=series, volume=volume)
    if series is not None:
        raise UsageError(
            f"{path}: {option('series')} picks a DICOM series, but this is a {form.value} file. Leave it out."
        )
    from medunsup.io.nifti.load import load_nifti

    return load_nifti(path, form, volume=volume, coordinates=coordinates)
