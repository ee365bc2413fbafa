"""MGH files of newer FreeSurfer, whose version word also tells what the volume is meant as."""

from pathlib import Path
from typing import Any

from nibabel.batteryrunners import Report
from nibabel.freesurfer.mghformat import MGHHeader, MGHImage
from nibabel.spatialimages import HeaderDataError

from medunsup.core.errors import InputError
from medunsup.io.notes import Notes

VERSION = 1
SCAN, LABELS = 0, 1
# As FreeSurfer 8 and surfa write them above the version's own byte.
NO_SCANS = {2: "values on a surface", 3: "a deformation", 4: "an inverse deformation"}


class MghHeader(MGHHeader):
    """nibabel's header, which takes the whole word for the version and refuses what it does not know."""

    @staticmethod
    def chk_version(hdr: Any, fix: bool = False) -> tuple[Any, Report]:
        """Report a version other than 1, whatever the intent."""
        known = int(hdr["version"]) & 0xFF == VERSION
        return hdr, Report() if known else Report(HeaderDataError, 40, "Unknown MGH format version")

    def _set_affine_default(self) -> None:
        """Place a volume without orientation as nibabel does, but leave its flag: it is told of."""
        super()._set_affine_default()
        self._structarr["goodRASFlag"] = 0


class MghImage(MGHImage):
    """nibabel's image with that header."""

    header_class = MghHeader


def check_intent(path: Path, header: Any, notes: Notes) -> None:
    """Note that a volume is meant as labels, or that its place is not known.

    Raises InputError if it is meant as something that is no scan.
    """
    intent = int(header["version"]) >> 8
    if intent not in (SCAN, LABELS):
        what = NO_SCANS.get(intent, "something that is not known here")
        raise InputError(
            f"{path}: is an MGH file of {what} (intent {intent}), not a scan. Give the scan itself; if it is "
            "one, write it anew: mri_convert FILE FILE.nii.gz"
        )
    if intent == LABELS:
        notes["intent"] = "labels"
    if not int(header["goodRASFlag"]):
        notes.warn(path, "the header gives no orientation (goodRASFlag is 0); left and right are a guess.")
