"""The DICOM series that results are exported for: its headers as results may copy them, and its grid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from medunsup.core.errors import GeometryError, InputError
from medunsup.core.geometry import Affine, Grid, distance_mm
from medunsup.core.volume import Volume, ras_affine, ras_axes
from medunsup.io.dicom.geometry import LPS_TO_RAS
from medunsup.io.dicom.load import ordered_slices
from medunsup.io.dicom.slices import Slice
from medunsup.io.files.hashes import hash_files
from medunsup.io.notes import Notes

PATIENT_GROUP = 0x0010
# What the standard asks of every object: the patient's and the study's tags of type 1 and 2.
PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
STUDY = ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName")
SEXES = ("M", "F", "O", "")
# What may be copied of a source and need not be: texts and persons of the study.
OPTIONAL = (
    "StudyDescription", "NameOfPhysiciansReadingStudy", "PhysiciansOfRecord",
    "PhysiciansOfRecordIdentificationSequence", "AdmittingDiagnosesDescription", "RequestingService",
    "ReferencedStudySequence", "ReasonForVisit", "ServiceEpisodeDescription",
    "ServiceEpisodeID", "ConsultingPhysicianName",
)  # fmt: skip
PLACE_TOLERANCE_MM = 0.01  # NIfTI stores its affine in single precision


@dataclass(frozen=True, eq=False)
class ExportSource:
    """A series to which results refer.

    `headers` are the files' headers without pixels, in the order of the slices; `grid` is (column, row,
    slice) to RAS mm; `sha256` is the hash of the files, as `Source.sha256` has it.
    """

    path: Path
    headers: tuple[Dataset, ...]
    grid: Grid
    sha256: str
    notes: Notes = field(default_factory=Notes)

    @property
    def frame_of_reference(self) -> str:
        """FrameOfReferenceUID of the series."""
        return str(self.headers[0].FrameOfReferenceUID)

    @property
    def lps_affine(self) -> Affine:
        """Affine (4, 4) of (slice, row, column) to LPS mm, as highdicom lays out a volume."""
        return np.asarray((LPS_TO_RAS @ self.grid.affine)[:, [2, 1, 0, 3]])

    def frames(self, volume: Volume) -> NDArray[Any]:
        """Lay out a map as (slice, row, column) of this series; axes are turned, nothing is interpolated.

        Raises GeometryError if the map lies on another grid.
        """
        axes, flips = ras_axes(self.grid.affine)
        i, j, k = (self.grid.shape[axis] for axis in axes)
        turned = Grid((i, j, k), ras_affine(self.grid.affine, (i, j, k), axes, flips))
        if volume.grid.shape != turned.shape:
            raise _other_grid(self.path, f"{volume.grid.shape} voxels, the series {turned.shape}")
        off = distance_mm(volume.grid, turned)
        if off > PLACE_TOLERANCE_MM:
            raise _other_grid(self.path, f"its voxels lie up to {off:.2f} mm off")
        flip = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in flips)
        return np.ascontiguousarray(volume.data[flip].transpose(np.argsort(axes)).T)


def read_source(
    path: Path, *, series: str | int | None = None, volume: int | None = None, sha256: str | None = None
) -> ExportSource:
    """Read the headers of a DICOM series that a result belongs to.

    `sha256` is the hash of the files that the result was made from, if they were these.

    Raises InputError if the series is another by now, of two studies, or without a frame of reference;
    GeometryError if its slices do not form a regular stack.
    """
    notes = Notes()
    ordered, affine = ordered_slices(path, series, volume, notes)
    files = list(dict.fromkeys(item.path for item in ordered))
    known_by = hash_files(set(files))
    if sha256 is not None and sha256 != known_by:
        raise InputError(
            f"{path}: the series is not the one that was worked on: slices were removed, added or changed "
            "since. Bring them back, or run it again on the series as it is."
        )
    headers = [dcmread(file, stop_before_pixels=True, force=True) for file in files]
    _check_one_study(path, headers)
    for header in headers:
        _repair(path, header, notes)
    grid = Grid(_shape(ordered), affine)
    _tell_uneven(path, ordered, affine, notes)
    return ExportSource(path, tuple(headers), grid, known_by, notes)


def _tell_uneven(path: Path, ordered: Sequence[Slice], affine: Affine, notes: Notes) -> None:
    """Say if slices lie off the even stack that results are written on."""
    lps = LPS_TO_RAS @ affine
    places = np.outer(np.arange(len(ordered)), lps[:3, 2]) + lps[:3, 3]
    off_mm = float(np.abs(places - [item.position for item in ordered]).max())
    if off_mm > PLACE_TOLERANCE_MM:
        notes.warn(
            path,
            f"its slices are uneven by up to {off_mm:.2f} mm; DICOM results lie on the even stack, and their "
            "frames may not name the single image each belongs to.",
        )


def _shape(ordered: Sequence[Slice]) -> tuple[int, int, int]:
    header = ordered[0].header
    return int(header.Columns), int(header.Rows), len(ordered)


def _check_one_study(path: Path, headers: Sequence[Dataset]) -> None:
    for name, what in (("StudyInstanceUID", "studies"), ("FrameOfReferenceUID", "frames of reference")):
        found = {str(header.get(name) or "") for header in headers}
        if len(found) > 1:
            raise InputError(
                f"{path}: its slices are of {len(found)} {what} ({name}), and a DICOM result belongs to one. "
                "Put the files of each in a folder of their own."
            )
        if found == {""}:
            raise InputError(
                f"{path}: has no {name}, to which a DICOM result must refer. Export the series again from "
                "the archive."
            )


def _repair(path: Path, header: Dataset, notes: Notes) -> None:
    """Leave what a result must copy, in a form that the standard allows."""
    for element in list(header.group_dataset(PATIENT_GROUP)):
        if element.keyword not in PATIENT:
            del header[element.tag]
    for name in OPTIONAL:
        if name in header:
            delattr(header, name)
    for name in (*PATIENT, *STUDY):
        if name not in header:
            setattr(header, name, None)
    if str(header.PatientSex or "") not in SEXES:
        header.PatientSex = None
        text = "PatientSex is no value of the standard; the DICOM results leave it empty."
        if text not in notes.get("warnings", []):
            notes.warn(path, text)
    _name_characters(header)
    _drop_spacing(header)


def _name_characters(header: Dataset) -> None:
    """Name the character set so that highdicom takes it; what it does not know becomes Unicode.

    An empty first value, which Japanese and Korean archives write, is the name of ASCII
    (DICOM part 3, C.12.1.1.2), and so is ISO_IR 6.
    """
    from highdicom.enum import SpecificCharacterSetValues

    told = header.get("SpecificCharacterSet") or ""
    values = [told] if isinstance(told, str) else list(told)
    if values in ([""], ["ISO_IR 6"]):
        header.pop("SpecificCharacterSet", None)
        return
    values = [value or "ISO 2022 IR 6" for value in values]
    if not set(values) <= {each.value for each in SpecificCharacterSetValues}:
        texts = {name: str(header[name].value or "") for name in (*PATIENT, *STUDY)}
        values = ["ISO_IR 192"]
        for name, text in texts.items():
            setattr(header, name, text)
    header.SpecificCharacterSet = values if len(values) > 1 else values[0]


def _drop_spacing(header: Dataset) -> None:
    """Remove the told distance of slices, which may be the gap between them; it follows from their places."""
    groups = [*header.get("SharedFunctionalGroupsSequence", ())]
    groups += header.get("PerFrameFunctionalGroupsSequence", ())
    measures = [item for group in groups for item in group.get("PixelMeasuresSequence", ())]
    for each in (header, *measures):
        if "SpacingBetweenSlices" in each:
            del each.SpacingBetweenSlices


def _other_grid(path: Path, what: str) -> GeometryError:
    return GeometryError(
        f"{path}: is not the series that the result lies on: {what}. Give the series that the scan was "
        "converted from."
    )
