"""Read DICOM headers into slices: where each one lies and how to find its pixels. No patient tag is read."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from medunsup.core.errors import GeometryError, InputError
from medunsup.io.sniff import is_bare_dicom

# Only these are ever read; names, birth dates and identifiers of the patient are not among them.
TAGS = (
    "SpecificCharacterSet",
    "SOPClassUID", "SOPInstanceUID", "Modality", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription",
    "ProtocolName", "ImageType", "InstanceNumber", "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel",
    "PhotometricInterpretation", "BitsStored", "PixelRepresentation", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "MRAcquisitionType", "ScanningSequence",
    "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "EchoNumbers", "TemporalPositionIdentifier",
    "AcquisitionNumber", "ImagesInAcquisition", "ComplexImageComponent", "AcquisitionContrast",
    "PulseSequenceName", "BodyPartExamined", "StudyDescription",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
NOT_MAGNITUDE = ("P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY")


@dataclass(frozen=True)
class Slice:
    """One image plane: a file, or one frame of a multi-frame file.

    `position` and `orientation` are DICOM's ImagePositionPatient and ImageOrientationPatient (LPS, mm);
    `spacing` is its PixelSpacing (between rows, between columns); `order` sorts the repeats of a plane;
    `thickness_mm` and `gap_told_mm` are SliceThickness and SpacingBetweenSlices, 0 where not told.
    """

    path: Path
    frame: int
    header: Dataset = field(repr=False)
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    slope: float
    intercept: float
    order: tuple[float, ...]
    is_magnitude: bool = True
    thickness_mm: float = 0.0
    gap_told_mm: float = 0.0

    @property
    def name(self) -> str:
        """How messages call this slice: the file, and the frame where there are several."""
        many = int(self.header.get("NumberOfFrames") or 1) > 1
        return f"{self.path.name}, frame {self.frame + 1}" if many else self.path.name


def read_header(path: Path) -> Dataset | None:
    """Read the known tags of one file; None if it is not DICOM.

    Raises InputError if it begins as DICOM but cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(132)
            has_preamble = start[128:] == b"DICM"
            if not has_preamble and not is_bare_dicom(start):
                return None
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydicom's about values that break the standard's letter
                header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(TAGS), force=True)
                _drop_unreadable(header)
        return header if has_preamble or "SOPClassUID" in header else None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}). Check its permissions."
        ) from error
    except Exception as error:  # pydicom raises many kinds on damaged files
        if not has_preamble:
            return None
        raise InputError(f"{path}: the DICOM file is damaged ({error}). Export or copy it again.") from error


def sop_class(header: Dataset) -> str:
    """Name of the kind of object, such as 'MR Image Storage'; empty if it is not told."""
    told = header.get("SOPClassUID") or getattr(header, "file_meta", {}).get("MediaStorageSOPClassUID")
    return UID(str(told)).name if told else ""


def _drop_unreadable(header: Dataset) -> None:
    """Remove values that cannot be decoded: where they are needed, they are then named as missing."""
    for tag in list(header.keys()):
        try:
            element = header[tag]
        except (ValueError, TypeError, NotImplementedError, KeyError):
            del header[tag]
            continue
        if element.VR == "SQ":
            for item in element.value:
                _drop_unreadable(item)


def slices_of(path: Path, header: Dataset) -> list[Slice]:
    """Return the planes of one file, one for each frame.

    Raises GeometryError naming the field that is missing or malformed.
    """
    frames = list(_frames(header))
    return [_slice(path, header, number, groups) for number, groups in enumerate(frames)]


def _frames(header: Dataset) -> Iterator[Sequence[Dataset]]:
    """Yield for each frame the data sets its attributes may lie in, nearest first."""
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    if not per_frame:
        yield from [(header,)] * int(header.get("NumberOfFrames") or 1)
        return
    shared = list(header.get("SharedFunctionalGroupsSequence") or [])
    for item in per_frame:
        yield (*_macros([item]), *_macros(shared), header)


def _macros(items: Iterable[Dataset]) -> Iterator[Dataset]:
    """Yield the data sets inside the functional group macros of a frame."""
    for item in items:
        for element in item:
            if element.VR == "SQ" and element.value:
                yield element.value[0]


def _slice(path: Path, header: Dataset, number: int, groups: Sequence[Dataset]) -> Slice:
    return Slice(
        path=path,
        frame=number,
        header=header,
        position=_numbers(path, number, groups, "ImagePositionPatient", 3),
        orientation=_numbers(path, number, groups, "ImageOrientationPatient", 6),
        spacing=_numbers(path, number, groups, "PixelSpacing", 2),
        slope=float(_find(groups, "RescaleSlope", 1)),
        intercept=float(_find(groups, "RescaleIntercept", 0)),
        order=_order(groups, number),
        is_magnitude=_is_magnitude(groups),
        thickness_mm=abs(float(_find(groups, "SliceThickness", 0))),
        gap_told_mm=abs(float(_find(groups, "SpacingBetweenSlices", 0))),
    )


def _order(groups: Sequence[Dataset], number: int) -> tuple[float, ...]:
    """Sort key of repeats at one place: echo, time point, then the order they were taken in."""
    echo = _find(groups, "EffectiveEchoTime", None) or _find(groups, "EchoTime", 0)
    time = _find(groups, "TemporalPositionIndex", None) or _find(groups, "TemporalPositionIdentifier", 0)
    acquisition = _find(groups, "AcquisitionNumber", 0)
    instance = _find(groups, "InstanceNumber", 0)
    return tuple(float(value or 0) for value in (echo, time, acquisition, instance, number))


def _is_magnitude(groups: Sequence[Dataset]) -> bool:
    """Whether the frame, or else its file, is not marked as a phase, real or imaginary image."""
    kinds = _find(groups, "FrameType", None) or _find(groups, "ImageType", ())
    marks = [str(kind).upper() for kind in list(kinds)[2:4]]
    marks.append(str(_find(groups, "ComplexImageComponent", "")).upper())
    return not any(mark in NOT_MAGNITUDE for mark in marks)


def _numbers(path: Path, number: int, groups: Sequence[Dataset], name: str, count: int) -> tuple[float, ...]:
    value = _find(groups, name, None)
    try:
        values = tuple(float(item) for item in value)
    except (TypeError, ValueError):
        values = ()
    if len(values) != count:
        raise GeometryError(
            f"{path}: frame {number + 1} lacks a valid {name}, so its place is unknown. "
            "Export the original series from the scanner or archive."
        )
    return values


def _find(groups: Sequence[Dataset], name: str, default: Any) -> Any:
    for group in groups:
        if group.get(name) not in (None, ""):
            return group.get(name)
    return default
