"""DICOM series: what each is, and which one is taken, the 3D T1-weighted one as a rule."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydicom.dataset import Dataset

from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.io.dicom.contrast import acquisition_of, contrast_of
from medunsup.io.dicom.headers import attributes_of, sop_class

LOCALIZER = ("LOCALIZER", "SCOUT", "MPR_LOCALIZER")
CAPTURE = "Secondary Capture"


@dataclass
class Series:
    """The images of one SeriesInstanceUID; it is called and picked by what they say.

    `passed_over` counts its other objects by their kind. Where each slice had a UID of its own, `more_uids`
    are those of the further slices, and `doubts` names what else the slices do not share.
    """

    uid: str
    files: list[tuple[Path, Dataset]] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    more_uids: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

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
        return told or (
            "MR" if sop_class(self.header).name.startswith(("MR ", "Enhanced MR ")) else "unknown"
        )

    @property
    def n_slices(self) -> int:
        """Number of image planes."""
        return sum(int(header.get("NumberOfFrames") or 1) for _, header in self.files)

    @property
    def kinds(self) -> list[str]:
        """Values of ImageType, in capitals."""
        return attributes_of(self.header).texts("ImageType")

    @cached_property
    def contrasts(self) -> list[str]:
        """Contrasts of its images: several of a double echo."""
        found = {contrast_of(header) for _, header in self.files}
        return sorted(contrast for contrast in found if contrast)

    @property
    def is_localizer(self) -> bool:
        """Whether it is only a scout."""
        return any(kind in LOCALIZER for kind in self.kinds)

    @property
    def is_original(self) -> bool:
        """Whether it was acquired, not reformatted from another series."""
        return "DERIVED" not in self.kinds

    @property
    def objection(self) -> str:
        """Why it is not taken by itself from among others; empty for a 3D T1w scan."""
        reasons = {
            "not MR": self.modality != "MR",
            "only a localizer": self.is_localizer,
            "not T1w": self.contrasts != ["T1w"],
            "not 3D": acquisition_of(self.header) != "3D",
        }
        return ", ".join(reason for reason, applies in reasons.items() if applies)

    def __str__(self) -> str:
        contrast = " and ".join(self.contrasts) or "contrast unknown"
        kind = f"{self.modality} {acquisition_of(self.header) or ''}".strip()
        scout = ", localizer" if self.is_localizer else ""
        name = self.header.get("SeriesDescription", "no description")
        return f"{self.number}: {name} ({kind}, {contrast}, {self.n_slices} slices{scout})"


def pick_series(path: Path, found: Sequence[Series], asked: str | int | None, hint: str = "") -> Series:
    """Return the series asked for by number or UID, the only MR series, or the only 3D T1w one.

    Raises UsageError that lists the series if the one asked for is not there, InputError that lists them if
    none or several fit; `hint` says what else the folder holds.
    """
    if asked is not None:
        return _asked(path, found, str(asked))
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
        f"several. Pass {option('series', 'NUMBER')} to pick one.{hint} {_listing(found, why=True)}"
    )


def check_series(path: Path, series: Series, hint: str = "") -> None:
    """Raise InputError unless it is a grey-value MR image with one slice a frame."""
    header = series.header
    is_capture = CAPTURE in sop_class(header).name and not attributes_of(header).get("ImagePositionPatient")
    if series.modality != "MR" or is_capture:
        what = "a secondary capture (a picture of a screen)" if is_capture else _modality(series.modality)
        raise InputError(f"{path}: is {what}, not MR. Give an MR scan of the head.{hint}")
    if any("MOSAIC" in attributes_of(each).texts("ImageType") for _, each in series.files):
        raise InputError(
            f"{path}: is a Siemens mosaic, many slices in one picture. Convert it with dcm2niix."
        )
    if (
        int(header.get("SamplesPerPixel", 1)) != 1
        or header.get("PhotometricInterpretation") == "PALETTE COLOR"
    ):
        raise InputError(f"{path}: holds colours (RGB), not a scan. Give the grey-value series.")
    if series.doubts:
        raise InputError(
            f"{path}: {len(series.more_uids) + 1} slices have a SeriesInstanceUID each, as if each were a "
            f"series, and they differ in {' and '.join(series.doubts)}, so they may not be of one scan. "
            "Export the series again, with the UIDs that the scanner gave."
        )


def _asked(path: Path, found: Sequence[Series], asked: str) -> Series:
    fits = [series for series in found if asked in (series.number, series.uid, *series.more_uids)]
    if len(fits) == 1:
        return fits[0]
    problem = f"no series {asked}" if not fits else f"{len(fits)} series with number {asked}: pass its UID"
    raise UsageError(f"{path}: there is {problem}. {_listing(found)}")


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
