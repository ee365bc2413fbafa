"""Write a map as NIfTI in the space of the scan it came from."""

import gzip
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import nibabel as nib
import numpy as np
from numpy.typing import DTypeLike

from medunsup.core.errors import UsageError
from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.io.files.atomic import atomic_path
from medunsup.io.nifti.header import NiftiSpace

GZIP_LEVEL = 1  # level 6 takes four times as long to save a tenth of the size
SCANNER = 1  # the NIfTI code of scanner coordinates
SHEAR_MM = 1e-3


def write_volume(
    volume: Volume,
    path: str | Path,
    *,
    dtype: DTypeLike | None = None,
    descrip: str = "",
    overwrite: bool = True,
) -> Path:
    """Write a NIfTI file (.nii or .nii.gz) in the source's native space, atomically.

    For a NIfTI source, sform, qform, their codes and units are the source's own, bit for bit, so that
    every viewer lays the map over the scan. Labels and masks become uint8, the rest float32 unless `dtype`
    says otherwise; a probability map stored as integers is scaled so that 0 and 1 stay exact.
    The same volume gives the same bytes. Returns the path.

    Raises UsageError for another suffix, OutputError if the file cannot be written.
    """
    path = Path(path)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise UsageError(f"{path}: maps are written as .nii or .nii.gz. Change the name.")
    with atomic_path(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        if path.name.endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=GZIP_LEVEL, fileobj=file, mtime=0) as stream:
                _write(stream, volume, dtype, descrip)
        else:
            _write(file, volume, dtype, descrip)
    return path


def volume_bytes(volume: Volume) -> bytes:
    """Return what `write_volume` writes into a .nii.gz file."""
    file = BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=GZIP_LEVEL, fileobj=file, mtime=0) as stream:
        _write(stream, volume, None, "")
    return file.getvalue()


def _stored_type(volume: Volume) -> DTypeLike:
    return np.uint8 if volume.kind in ("label", "mask") else np.float32


def _header(
    volume: Volume, affine: Affine, shape: tuple[int, ...], stored: np.dtype[Any], scale: float
) -> nib.Nifti1Header:
    """Header with the source's coordinate systems, or the affine in both where the source has none."""
    space = volume.source.header if volume.source else None
    header = space.new_header(shape) if isinstance(space, NiftiSpace) else _plain_header(affine, shape)
    header.set_data_dtype(stored)
    header.set_slope_inter(1 / scale, 0)
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    return header


def _plain_header(affine: Affine, shape: tuple[int, ...]) -> nib.Nifti1Header:
    """Header with the affine in both coordinate systems, as scanner coordinates."""
    header = nib.Nifti1Header(endianness="<")
    header.set_data_shape(shape)
    header.set_sform(affine, SCANNER)
    _set_qform(header, affine)
    header.set_xyzt_units("mm", "unknown")
    return header


def _set_qform(header: nib.Nifti1Header, affine: Affine) -> None:
    """Give the qform the same affine; a sheared one has no quaternion, so its code stays 0."""
    header.set_qform(affine, SCANNER, strip_shears=True)
    if np.abs(header.get_qform() - affine).max() > SHEAR_MM:
        header["qform_code"] = 0


def _write(stream: IO[bytes] | gzip.GzipFile, volume: Volume, dtype: DTypeLike | None, descrip: str) -> None:
    """Write header and voxels slice by slice, so that no second copy of the map is held."""
    data, affine = volume.in_source_space()
    stored = np.dtype(dtype or _stored_type(volume))
    scale = float(np.iinfo(stored).max) if volume.kind == "probability" and stored.kind == "u" else 1.0
    header = _header(volume, affine, data.shape, stored, scale)
    header["descrip"] = descrip.encode("ascii", "replace")[:79]
    head = header.binaryblock
    stream.write(head + bytes(header.single_vox_offset - len(head)))
    for k in range(data.shape[2]):
        plane = data[:, :, k]
        plane = np.rint(plane * scale) if scale != 1 else plane
        stream.write(plane.astype(stored, copy=False).tobytes(order="F"))
