"""The planes of a DICOM file: where each one lies and what its pixels mean."""

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from pydicom.dataset import Dataset

from medunsup.core.errors import GeometryError
from medunsup.io.dicom.headers import Attributes, frames_of

NOT_MAGNITUDE = ("P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY")


@dataclass(frozen=True)
class Slice:
    """One image plane: a file, or one frame of a multi-frame file.

    `position` and `orientation` are DICOM's ImagePositionPatient and ImageOrientationPatient (LPS, mm);
    `spacing` is its PixelSpacing (between rows, between columns); `thickness_mm` and `gap_told_mm` are
    SliceThickness and SpacingBetweenSlices, 0 where not told; `attributes` finds the frame's other values.
    """

    path: Path
    frame: int
    header: Dataset = field(repr=False)
    attributes: Attributes = field(repr=False)
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    slope: float
    intercept: float
    is_magnitude: bool = True
    thickness_mm: float = 0.0
    gap_told_mm: float = 0.0

    @property
    def name(self) -> str:
        """How messages call this slice: the file, and the frame where there are several."""
        many = int(self.header.get("NumberOfFrames") or 1) > 1
        return f"{self.path.name}, frame {self.frame + 1}" if many else self.path.name


def slices_of(path: Path, header: Dataset) -> list[Slice]:
    """Return the planes of one file, one for each frame.

    Raises GeometryError naming the field that is missing or malformed.
    """
    return [_slice(path, header, number, frame) for number, frame in enumerate(frames_of(header))]


def _slice(path: Path, header: Dataset, number: int, frame: Attributes) -> Slice:
    return Slice(
        path=path,
        frame=number,
        header=header,
        attributes=frame,
        position=_numbers(path, number, frame, "ImagePositionPatient", 3),
        orientation=_numbers(path, number, frame, "ImageOrientationPatient", 6),
        spacing=_numbers(path, number, frame, "PixelSpacing", 2),
        slope=float(frame.get("RescaleSlope", 1)),
        intercept=float(frame.get("RescaleIntercept", 0)),
        is_magnitude=_is_magnitude(frame),
        thickness_mm=abs(float(frame.get("SliceThickness", 0))),
        gap_told_mm=abs(float(frame.get("SpacingBetweenSlices", 0))),
    )


def _is_magnitude(frame: Attributes) -> bool:
    """Whether the frame, or else its file, is not marked as a phase, real or imaginary image.

    The third and fourth value tell, as a letter or before the sequence's name (P_FFE); of fewer, any.
    """
    kinds = frame.texts("FrameType") or frame.texts("ImageType")
    marks = [*(kinds[2:4] or kinds), *frame.texts("ComplexImageComponent")]
    return not any(mark in NOT_MAGNITUDE or mark.split("_")[0] in NOT_MAGNITUDE for mark in marks)


def _numbers(path: Path, number: int, frame: Attributes, name: str, count: int) -> tuple[float, ...]:
    value = frame.get(name)
    try:
        values = tuple(float(item) for item in value)
    except (TypeError, ValueError):
        values = ()
    if len(values) != count or not all(map(isfinite, values)):
        raise GeometryError(
            f"{path}: frame {number + 1} lacks a valid {name}, so its place is unknown. Export the original "
            "series from the scanner or archive, or take this file out if it is no slice of the scan."
        )
    return values
