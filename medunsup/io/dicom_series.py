"""Find the DICOM series in a folder and pick the 3D T1-weighted one, or list them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from medunsup.core.errors import InputError, UsageError
from medunsup.io.dicom_contrast import acquisition_of, contrast_of
from medunsup.io.dicom_slices import read_header, sop_class
from medunsup.io.sniff import READABLE

LOCALIZER = ("LOCALIZER", "SCOUT", "MPR_LOCALIZER")


@dataclass
class Series:
    """The files of one SeriesInstanceUID."""

    uid: str
    files: list[tuple[Path, Dataset]] = field(default_factory=list)

    @property
    def header(self) -> Dataset:
        """Header of the first file."""
        return self.files[0][1]

    @property
    def number(self) -> str:
        """SeriesNumber, or '?'."""
        return str(self.header.get("SeriesNumber") or "?")

    @property
    def modality(self) -> str:
        """Modality, for example MR; where it is not said, by the kind of object."""
        told = str(self.header.get("Modality") or "")
        return told or ("MR" if sop_class(self.header).startswith(("MR ", "Enhanced MR ")) else "unknown")

    @property
    def n_slices(self) -> int:
        """Number of image planes."""
        return sum(int(header.get("NumberOfFrames") or 1) for _, header in self.files)

    @property
    def is_image(self) -> bool:
        """Whether it has pixels at all."""
        return "Rows" in self.header

    @property
    def is_localizer(self) -> bool:
        """Whether it is only a scout."""
        return any(str(value).upper() in LOCALIZER for value in self.header.get("ImageType", ()))

    @property
    def is_original(self) -> bool:
        """Whether it was acquired, not reformatted from another series."""
        return "DERIVED" not in [str(value).upper() for value in self.header.get("ImageType", ())]

    @property
    def objection(self) -> str:
        """Why it is not taken by itself from among others; empty for a 3D T1w scan."""
        reasons = {
            "not MR": self.modality != "MR",
            "only a localizer": self.is_localizer,
            "not T1w": contrast_of(self.header) != "T1w",
            "not 3D": acquisition_of(self.header) != "3D",
        }
        return ", ".join(reason for reason, applies in reasons.items() if applies)

    def __str__(self) -> str:
        contrast = contrast_of(self.header) or "contrast unknown"
        kind = f"{self.modality} {acquisition_of(self.header) or ''}".strip()
        scout = ", localizer" if self.is_localizer else ""
        name = self.header.get("SeriesDescription", "no description")
        return f"{self.number}: {name} ({kind}, {contrast}, {self.n_slices} slices{scout})"


def find_series(path: Path) -> list[Series]:
    """Read all headers below a folder, or of one file; files that are not DICOM are passed over.

    Raises InputError if there is no DICOM image.
    """
    found: dict[str, Series] = {}
    others: list[Path] = []
    for file in _files(path):
        header = read_header(file)
        if header is None:
            others.append(file)
            continue
        _check_whole(file, header)
        uid = str(header.get("SeriesInstanceUID", ""))
        found.setdefault(uid, Series(uid)).files.append((file, header))
    images = [series for series in found.values() if series.is_image]
    if not images:
        raise InputError(_nothing(path, others, found))
    return sorted(images, key=lambda series: (len(series.number), series.number))


def pick_series(path: Path, found: Sequence[Series], asked: str | int | None) -> Series:
    """Return the series asked for by number or UID, the only MR series, or the only 3D T1w one.

    Raises UsageError that lists the series if the one asked for is not there, InputError that lists them if
    none or several fit.
    """
    if asked is not None:
        fits = [series for series in found if str(asked) in (series.number, series.uid)]
        if len(fits) == 1:
            return fits[0]
        problem = (
            f"no series {asked}" if not fits else f"{len(fits)} series with number {asked}: pass its UID"
        )
        raise UsageError(f"{path}: there is {problem}. {_listing(found)}")
    if len(found) == 1:
        return found[0]
    scans = [series for series in found if series.modality == "MR" and not series.is_localizer]
    if len(scans) == 1:
        return scans[0]
    best = [series for series in scans if not series.objection]
    best = [series for series in best if series.is_original] or best
    if len(best) == 1:
        return best[0]
    what = "no 3D T1w scan" if not best else f"{len(best)} 3D T1w scans"
    raise InputError(
        f"{path}: holds {len(found)} series and {what}, the only kind that is taken by itself from among "
        f"several. Pass --series NUMBER to pick one. {_listing(found, why=True)}"
    )


def check_series(path: Path, series: Series) -> None:
    """Raise InputError unless it is a grey-value MR image with one slice a frame."""
    header = series.header
    if series.modality != "MR":
        raise InputError(f"{path}: is {_modality(series.modality)}, not MR. Give an MR scan of the head.")
    kinds = [str(value).upper() for value in header.get("ImageType", ())]
    if "MOSAIC" in kinds:
        raise InputError(
            f"{path}: is a Siemens mosaic, many slices in one picture. Convert it with dcm2niix."
        )
    if (
        int(header.get("SamplesPerPixel", 1)) != 1
        or header.get("PhotometricInterpretation") == "PALETTE COLOR"
    ):
        raise InputError(f"{path}: holds colours (RGB), not a scan. Give the grey-value series.")


def _check_whole(file: Path, header: Dataset) -> None:
    """Refuse an image whose header ends early: it would vanish from its series without a word."""
    is_image = "Image Storage" in sop_class(header)
    if is_image and not all(name in header for name in ("SeriesInstanceUID", "Rows", "Columns")):
        raise InputError(f"{file}: lacks its size or series, or is cut off. Export or copy the file again.")


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")]
    return sorted(file for file in files if file.name.upper() != "DICOMDIR")


def _nothing(path: Path, others: Sequence[Path], found: dict[str, Series]) -> str:
    if found:
        if any("Directory" in sop_class(series.header) for series in found.values()):
            return f"{path}: is a DICOMDIR, an index of other files. Give the folder it lies in."
        return f"{path}: holds DICOM but no images, such as a report. Give the folder of an image series."
    if path.is_file():
        return f"{path}: is named as DICOM but is not. {READABLE}"
    nifti = [file for file in others if file.name.endswith((".nii", ".nii.gz", ".mgz"))]
    if nifti:
        return f"{path}: holds no DICOM but NIfTI files. Give the file itself, for example {nifti[0].name}."
    what = f"none of its {len(others)} files is DICOM" if others else "it is empty"
    return f"{path}: no scan found: {what}. Give a folder of DICOM files, or a NIfTI file."


def _listing(found: Sequence[Series], *, why: bool = False) -> str:
    """Describe each series in a line, where numbers recur with its UID; `why` adds why it is not taken."""
    numbers = [series.number for series in found]
    lines = [
        f"{series}"
        + (f", UID {series.uid}" if numbers.count(series.number) > 1 else "")
        + (f", not taken: {series.objection}" if why and series.objection else "")
        for series in found
    ]
    return "\n  ".join(["Found:", *lines])


def _modality(code: str) -> str:
    names = {"CT": "a CT scan", "PT": "a PET scan", "US": "ultrasound", "OT": "a secondary capture (OT)"}
    return names.get(code, f"of modality {code}")
