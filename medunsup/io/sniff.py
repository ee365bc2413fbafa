"""Tell a file's format from its first bytes, and say what a file is that cannot be used."""

import gzip
import zlib
from enum import Enum
from pathlib import Path

from medunsup.core.errors import InputError, MissingError
from medunsup.io.files.companions import files_of
from medunsup.io.files.fetched import check_fetched

GZIP = b"\x1f\x8b"
HEADER_BYTES = 352
READABLE = "Give a NIfTI (.nii, .nii.gz), MGZ or DICOM file, or a folder of DICOM files."
LOOKED = (
    "Looked in it and in all folders below, hidden ones left out, for DICOM (whatever the name), NIfTI "
    "(.nii, .nii.gz, .hdr with .img) and MGH (.mgz, .mgh)."
)
CONVERT = "convert it to NIfTI first"
OTHERS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"NRRD", f"an NRRD file: {CONVERT}, for example with 3D Slicer"),
    (b"\x89HDF", f"an HDF5 or MINC file: {CONVERT} with mnc2nii"),
    (b"CDF\x01", f"a MINC file: {CONVERT} with mnc2nii"),
    (b"ObjectType", f"a MetaImage header: {CONVERT}"),
    (b"# === DATA DESCRIPTION FILE", f"a Philips PAR header: {CONVERT} with dcm2niix"),
    (b"type", f"an AFNI header: {CONVERT} with 3dAFNItoNIFTI"),
    (b"<", "a web page or XML file, perhaps a failed download"),
)


class Format(Enum):
    """The formats that can be read."""

    NIFTI = "NIfTI"
    ANALYZE = "Analyze"
    MGH = "MGH"
    DICOM = "DICOM"


def sniff(path: Path) -> Format:
    """Return the format of a file or folder.

    Raises InputError if it is missing, not fetched, empty, locked, truncated, named against its content, or
    no image.
    """
    try:
        if path.is_dir():
            return Format.DICOM
        for half in files_of(path):
            check_fetched(half)
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
    except FileNotFoundError as error:
        raise MissingError(f"{path}: there is no such file or folder. Check the path.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check its permissions.") from error
    if not start:
        raise InputError(f"{path}: the file is empty (0 bytes). Copy or download it again.")
    name = path.name.lower()
    packed = start.startswith(GZIP)
    content = _unpack(path) if packed else start
    found = _format(name, content)
    if found is None:
        raise InputError(
            f"{path}: is not an image medunsup can read; it looks like {_guess(content)}. {READABLE}"
        )
    _check_name(path, name, packed)
    if packed and found is Format.DICOM:
        raise InputError(f"{path}: is a compressed DICOM file. Unpack it first (gunzip).")
    return found


def _check_name(path: Path, name: str, packed: bool) -> None:
    if packed and name.endswith((".nii", ".mgh", ".hdr", ".img")):
        raise InputError(f"{path}: is gzip-compressed but not named so. Rename it to {path.name}.gz.")
    if name.endswith(".mgh.gz"):
        raise InputError(f"{path}: is named so that nothing reads it. Rename it to {path.name[:-7]}.mgz.")
    if not packed and name.endswith((".nii.gz", ".mgz")):
        plain = path.name[:-1] + "h" if name.endswith(".mgz") else path.name[:-3]
        raise InputError(f"{path}: is named as compressed but is not. Rename it to {plain}.")


def _unpack(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(HEADER_BYTES)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(
            f"{path}: the compressed file is damaged ({error}). Copy or download it again."
        ) from error


def _format(name: str, start: bytes) -> Format | None:
    if start[344:347] in (b"n+1", b"ni1") or start[4:7] in (b"n+2", b"ni2"):
        return Format.NIFTI
    if start[128:132] == b"DICM" or name.endswith((".dcm", ".ima", ".dicom")):
        return Format.DICOM
    if name.endswith((".mgz", ".mgh", ".mgh.gz")) and start[3:4] == b"\x01":  # before it lies the intent
        return Format.MGH
    if name.endswith((".hdr", ".img", ".hdr.gz", ".img.gz")):
        return Format.ANALYZE
    return Format.DICOM if is_bare_dicom(start) else None


def is_bare_dicom(start: bytes) -> bool:
    """Whether bytes begin as DICOM without a preamble does: with group 0008 or 0002, either byte order."""
    little = start[:2] in (b"\x08\x00", b"\x02\x00") and start[3:4] == b"\x00"
    return little or (start[:2] == b"\x00\x08" and start[2:3] == b"\x00")


def guess(path: Path) -> str:
    """Say what a file looks like that is no image, from its first bytes."""
    with path.open("rb") as file:
        return _guess(file.read(HEADER_BYTES))


def _guess(start: bytes) -> str:
    if start[257:262] == b"ustar":
        return "a tar archive: unpack it first"
    for magic, what in OTHERS:
        if start.lstrip().startswith(magic):
            return what
    return "text" if start.isascii() and b"\x00" not in start else "something else"
