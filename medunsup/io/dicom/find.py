"""Sort the files below a folder into DICOM series; say what a folder holds that has none."""

import gzip
import shlex
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from medunsup.core.errors import InputError
from medunsup.io.dicom.headers import read_header, sop_class
from medunsup.io.dicom.series import CAPTURE, Series
from medunsup.io.dicom.split import joined
from medunsup.io.files.fetched import how_to_fetch
from medunsup.io.files.walk import files_below
from medunsup.io.sniff import GZIP, LOOKED, READABLE, guess, is_bare_dicom

ELSEWHERE = "Give the folder that the scanner or the converter wrote to, or the scan's own file."
NIFTI = (".nii", ".nii.gz", ".mgz")
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
NO_MODALITY = ("OT", "SC", "PR", "SR", "KO", "DOC")  # of no scanner
NO_DICOM = (*NIFTI, ".json", ".tsv", ".csv", ".txt", ".md", ".bval", ".bvec")
# Kinds of object that may have pixels and are no image of a scan: raw data, registrations and segmentations,
# parametric maps, spectroscopy, dose.
STORAGE = "1.2.840.10008.5.1.4.1.1"
NO_SCAN = tuple(f"{STORAGE}.{kind}." for kind in ("66", "30", "4.2", "481.2"))


@dataclass(frozen=True)
class Found:
    """The series with images in a folder or file, and its files that are not DICOM."""

    series: list[Series]
    others: list[Path]

    @property
    def hint(self) -> str:
        """Where to look instead, if the folder holds NIfTI files as well; begins with a space."""
        nifti = [file.name for file in self.others if file.name.endswith(NIFTI)]
        return f" Or give one of its NIfTI files itself, for example {nifti[0]}." if nifti else ""


def find_series(path: Path) -> Found:
    """Read all headers below a folder, or of one file; objects that are no images are passed over one by one.

    Raises InputError if there is no DICOM image, or if a file's content is not there or compressed.
    """
    found: dict[str, Series] = {}
    others: list[Path] = []
    for file in _files(path):
        header = read_header(file) if file.exists() else None
        if header is None:
            others.append(file)
            continue
        uid = str(header.get("SeriesInstanceUID", ""))
        series = found.setdefault(uid, Series(uid))
        if is_image(header):
            _check_whole(file, header)
            series.files.append((file, header))
        else:
            series.passed_over[sop_class(header).name or "object of unknown kind"] += 1
    _check_others(
        path, others if not found else [file for file in others if not file.name.endswith(NO_DICOM)]
    )
    for series in found.values():
        _pass_over_pictures(series)
        series.files.sort(key=lambda item: _number_and_uid(item[1]))
    images = [series for series in found.values() if series.files]
    if not images:
        raise InputError(_nothing(path, others, found))
    return Found(sorted(joined(images), key=_by_number), others)


def is_image(header: Dataset) -> bool:
    """Whether an object is an image: by its kind, and by its pixels where the kind does not say."""
    kind = sop_class(header)
    if f"{kind}.".startswith(NO_SCAN):
        return False
    return "Image Storage" in kind.name or ("Rows" in header and any(name in header for name in PIXELS))


def _check_whole(file: Path, header: Dataset) -> None:
    """Refuse an image whose header ends early: it would vanish from its series without a word."""
    if not all(name in header for name in ("SeriesInstanceUID", "Rows", "Columns")):
        raise InputError(f"{file}: lacks its size or series, or is cut off. Export or copy the file again.")


def _pass_over_pictures(series: Series) -> None:
    """Pass over what lies among the images of a scan and is none: pictures of a screen, and colours."""
    kinds = [_picture(header) for _, header in series.files]
    if "" in kinds:
        series.passed_over.update(kind for kind in kinds if kind)
        series.files = [item for item, kind in zip(series.files, kinds, strict=True) if not kind]


def _picture(header: Dataset) -> str:
    if CAPTURE in sop_class(header).name:
        return sop_class(header).name
    if header.get("Modality") in NO_MODALITY:
        return f"image of modality {header.Modality}"
    return "" if int(header.get("SamplesPerPixel") or 1) == 1 else "image in colours"


def _number_and_uid(header: Dataset) -> tuple[int, str]:
    number = header.get("InstanceNumber")
    return number if isinstance(number, int) else 0, str(header.get("SOPInstanceUID"))


def _by_number(series: Series) -> tuple[int, str, str]:
    return len(series.number), series.number, series.uid


def _files(path: Path) -> list[Path]:
    """List the files of a folder, each once, however many names it has; or the file itself."""
    if path.is_file():
        return [path]
    known: dict[object, Path] = {}
    for file in files_below(path):
        if file.name.upper() != "DICOMDIR":
            at = file.stat() if file.exists() else None
            known.setdefault((at.st_dev, at.st_ino) if at and at.st_ino else file, file)
    return list(known.values())


def _check_others(path: Path, others: Sequence[Path]) -> None:
    """Refuse files that would be DICOM if they were fetched or unpacked: a scan may lack just these."""
    lost = [file for file in others if how_to_fetch(file)]
    if lost:
        raise InputError(
            f"{path}: {len(lost)} of its files have not been fetched, for example {lost[0].name}. "
            f"{how_to_fetch(lost[0], path)}"
        )
    broken = [file for file in others if not file.exists()]
    if broken:
        raise InputError(
            f"{broken[0]}: is a link to a file that is not there. Bring the file back, or remove the link."
        )
    packed = [file for file in others if _is_packed_dicom(file)]
    if packed:
        raise InputError(
            f"{path}: {len(packed)} of its files are gzip-compressed DICOM, for example {packed[0].name}. "
            f"Unpack them first (gunzip -r {shlex.quote(str(path))})."
        )


def _is_packed_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            if stream.read(2) != GZIP or file.name.endswith(NIFTI):
                return False
        with gzip.open(file) as stream:
            start = stream.read(132)
    except (OSError, EOFError, zlib.error):
        return False
    return start[128:] == b"DICM" or is_bare_dicom(start)


def _nothing(path: Path, others: Sequence[Path], found: dict[str, Series]) -> str:
    kinds = sorted({kind for series in found.values() for kind in series.passed_over})
    if any("Directory" in kind for kind in kinds):
        return f"{path}: is a DICOMDIR, an index of other files. Give the folder it lies in."
    if kinds:
        what, hint = ", ".join(kinds), Found([], list(others)).hint
        return f"{path}: holds DICOM but no images ({what}). Give the folder of an image series.{hint}"
    if path.is_file():
        return f"{path}: is named as DICOM but is not. {READABLE}"
    nifti = [file for file in others if file.name.endswith(NIFTI)]
    if nifti:
        return f"{path}: holds no DICOM but NIfTI files. Give the file itself, for example {nifti[0].name}."
    if not others:
        what = "it holds no file" if any(path.iterdir()) else "it is empty"
        return f"{path}: no scan found: {what}. {LOOKED} {ELSEWHERE}"
    what = guess(others[0])
    like = "" if what == "something else" else f"; {others[0].name} looks like {what}"
    return f"{path}: no scan found: none of its {len(others)} files is one{like}. {LOOKED} {ELSEWHERE}"
