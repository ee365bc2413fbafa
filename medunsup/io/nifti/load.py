"""NIfTI, Analyze and MGH files through nibabel, streamed slab by slab into float32."""

import logging
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel import imageglobals
from nibabel.filebasedimages import ImageFileError
from nibabel.freesurfer.mghformat import MGHError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from medunsup.core.errors import GeometryError, InputError, UsageError
from medunsup.core.geometry import Affine, Grid
from medunsup.core.hints import option
from medunsup.core.volume import Source, Volume, ras_axes
from medunsup.io.files.companions import files_of, lone_half
from medunsup.io.files.hashes import hash_input
from medunsup.io.nifti.coordinates import check_voxel_size, choose_affine, note_shear
from medunsup.io.nifti.header import NiftiSpace
from medunsup.io.nifti.mgh import MghImage, check_intent
from medunsup.io.nifti.spm import check_mat, note_mat
from medunsup.io.nifti.units import unit_of
from medunsup.io.notes import Notes
from medunsup.io.pixels import SlabWriter
from medunsup.io.sniff import READABLE, Format

SLAB_BYTES = 8 << 20
GZIP_RATIO = 1040  # deflate packs no better than 1032 to 1


def load_nifti(path: Path, form: Format, *, volume: int | None = None, coordinates: str = "auto") -> Volume:
    """Read one 3D volume of a NIfTI, Analyze or MGH file as RAS+ float32.

    Raises InputError or GeometryError naming the file and field at fault, UsageError for a volume it lacks.
    """
    notes = Notes()
    image = _open(path, form, notes)
    shape = _shape(path, image, volume)
    affine = _affine(path, image, shape, coordinates, notes)
    note_shear(path, affine, notes)
    if form is Format.MGH:
        check_intent(path, image.header, notes)
    files = files_of(path)
    if len(files) > 1:
        notes["files"] = [file.name for file in files]
        note_mat(path, image, affine, notes)
    axes, flips = ras_axes(affine)
    _check_size(path, image)
    writer = SlabWriter(path, shape, axes, flips)
    for slab in _slabs(path, image, shape, volume or 0):
        writer.add(slab)
    data, ras_affine = writer.finish(affine)
    if len(image.shape) > 3 and volume is not None:
        notes["volume"] = volume
    source = Source(
        path=str(path),
        format="mgz" if form is Format.MGH else "nifti",
        grid=Grid(shape, affine),
        axes=axes,
        flips=flips,
        sha256=hash_input(path),
        header=NiftiSpace.of(image.header) if "sform_code" in image.header else None,
        notes=notes,
    )
    return Volume(data, ras_affine, source=source)


def _open(path: Path, form: Format, notes: Notes) -> Any:
    """Read the header alone; nibabel's own repairs are noted instead of printed."""
    place = path.absolute()  # nibabel takes a leading ~ for a home folder
    check_mat(path)
    try:
        with _repairs(path, notes):
            image: Any = MghImage.from_filename(place) if form is Format.MGH else nib.load(place)
    except FileNotFoundError as error:
        raise InputError(lone_half(path) or f"{path}: there is no such file. Check the path.") from error
    except ImageFileError as error:
        raise InputError(
            lone_half(path) or f"{path}: the header cannot be read ({error}). {READABLE}"
        ) from error
    except (HeaderDataError, MGHError, WrapStructError, ValueError, KeyError) as error:
        raise InputError(f"{path}: the header cannot be read ({error}). {READABLE}") from error
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path}: the file is damaged ({error}). Copy or download it again.") from error
    if isinstance(image, nib.Cifti2Image):
        raise InputError(
            f"{path}: is a CIFTI file of surface data, not a scan. Give the volume it was made from."
        )
    return image


def _stored_header(image: Any) -> Any:
    """Read the header as it lies on disk, without nibabel's repairs."""
    holder = image.file_map.get("header", image.file_map["image"])
    with ImageOpener(holder.filename) as file:
        return type(image.header).from_fileobj(file, check=False)


@contextmanager
def _repairs(path: Path, notes: Notes) -> Iterator[None]:
    """Catch what nibabel logs while it reads a header."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    with imageglobals.LoggingOutputSuppressor():
        imageglobals.logger.addHandler(handler)
        try:
            yield
        finally:
            imageglobals.logger.removeHandler(handler)
    for message in messages:
        notes.warn(path, f"header repaired on reading: {message}.")


def _shape(path: Path, image: Any, volume: int | None) -> tuple[int, int, int]:
    """Spatial shape (I, J, K); a trailing axis of one is no axis."""
    shape = list(image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if min(shape) < 1 or len(shape) < 2:
        raise InputError(
            f"{path}: has shape {tuple(image.shape)}: there is no image in it. Convert it again."
        )
    if len(shape) > 4:
        raise InputError(f"{path}: has {len(shape)} dimensions {tuple(shape)}. Extract one 3D volume first.")
    _check_volume(path, shape[3] if len(shape) == 4 else 1, volume)
    i, j, k = [*shape, 1][:3]
    return int(i), int(j), int(k)


def _check_volume(path: Path, count: int, volume: int | None) -> None:
    if count > 1 and volume is None:
        raise InputError(
            f"{path}: is 4D, with {count} volumes, not one scan. "
            f"Pass {option('volume', 0)} to {count - 1} to pick one."
        )
    if volume is not None and not 0 <= volume < count:
        last = f" to {count - 1}" if count > 1 else ", the only one"
        raise UsageError(f"{path}: has no volume {volume}. Pass {option('volume', 0)}{last}.")


def _check_size(path: Path, image: Any) -> None:
    """Refuse a header that claims more than the file can hold, before memory is taken for it."""
    proxy = image.dataobj
    claimed = math.prod(image.shape) * proxy.dtype.itemsize
    file = Path(image.file_map["image"].filename)
    try:
        held = file.stat().st_size
    except FileNotFoundError as error:
        raise InputError(lone_half(path) or f"{path}: there is no such file. Check the path.") from error
    packed = file.name.lower().endswith((".gz", ".mgz", ".bz2", ".zst"))
    if claimed > held * (GZIP_RATIO if packed else 1):
        raise InputError(
            f"{path}: the file is truncated or damaged (its header tells of {claimed / 1e6:.1f} MB "
            f"of voxels, the file has {held / 1e6:.1f} MB). Copy or download it again."
        )


def _affine(path: Path, image: Any, shape: tuple[int, int, int], coordinates: str, notes: Notes) -> Affine:
    if "sform_code" in image.header:
        chosen = choose_affine(path, image.header, shape, coordinates, notes)
        if notes["coordinates"] != "sform":
            unit = unit_of(image.header)
            check_voxel_size(path, _stored_header(image)["pixdim"][1:4] * unit.mm, unit)
        return chosen
    affine = np.asarray(image.affine, dtype=float)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise GeometryError(f"{path}: the affine is singular. Convert the scan again from its DICOM files.")
    check_voxel_size(path, np.linalg.norm(affine[:3, :3], axis=0))
    notes["coordinates"] = "header"
    return affine


def _slabs(path: Path, image: Any, shape: tuple[int, int, int], volume: int) -> Iterator[NDArray[Any]]:
    """Yield float32 slabs (I, J, n) in file order, reading to the end so that checksums are checked."""
    proxy = image.dataobj
    dtype = _real(path, proxy.dtype)
    slice_bytes = shape[0] * shape[1] * dtype.itemsize
    step = max(1, SLAB_BYTES // slice_bytes)
    try:
        with ImageOpener(proxy.file_like) as file:
            file.seek(proxy.offset + volume * slice_bytes * shape[2])
            for start in range(0, shape[2], step):
                count = min(step, shape[2] - start)
                raw = file.read(count * slice_bytes)
                if len(raw) < count * slice_bytes:
                    raise EOFError(f"it ends in slice {start + len(raw) // slice_bytes + 1} of {shape[2]}")
                slab = np.frombuffer(raw, dtype).reshape(shape[0], shape[1], count, order="F")
                yield _scaled(slab, proxy.slope, proxy.inter)
            while file.read(SLAB_BYTES):
                pass
    except FileNotFoundError as error:
        raise InputError(lone_half(path) or f"{path}: there is no such file. Check the path.") from error
    except (EOFError, zlib.error, OSError) as error:
        raise InputError(
            f"{path}: the file is truncated or damaged ({error}). Copy or download it again."
        ) from error


def _real(path: Path, dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.fields is not None:
        raise InputError(
            f"{path}: holds colours (RGB), not a scan. Give the grey-value image it was made from."
        )
    if dtype.kind == "c":
        raise InputError(f"{path}: holds complex numbers. Export the magnitude image.")
    return dtype


def _scaled(slab: NDArray[Any], slope: float, inter: float) -> NDArray[Any]:
    """Apply scl_slope and scl_inter; wide types are scaled before they are narrowed."""
    if slope == 1 and inter == 0:
        return slab
    wide: Any = np.float32 if slab.dtype.itemsize < 4 else np.float64
    return slab.astype(wide) * wide(slope) + wide(inter)
