"""What must be known of a DICOM file to send it: its kind, its identifier, how it is encoded."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydicom import dcmread
from pydicom.uid import UID

from medunsup.core.errors import InputError, MissingError
from medunsup.io.files.walk import files_below

DIRECTORY = "1.2.840.10008.1.3.10"  # a DICOMDIR, an index of other files
LABELMAP = "1.2.840.10008.5.1.4.1.1.66.7"
KINDS = {LABELMAP: "Label Map Segmentation Storage"}  # newer than some lists of names

Status = Literal["accepted", "already stored", "sent before", "refused", "not sent"]


@dataclass(frozen=True)
class Storable:
    """A file as archives tell it: kind of object, identifier, transfer syntax."""

    path: Path
    sop_class: str
    sop_instance: str
    transfer_syntax: str

    @property
    def kind(self) -> str:
        """Name of the kind of object, without the word Storage at its end."""
        name = KINDS.get(self.sop_class) or UID(self.sop_class).name
        return name.removesuffix(" Storage")


@dataclass(frozen=True)
class Answer:
    """What became of a file: taken or not, and why."""

    status: Status
    why: str = ""


def dicom_files(paths: Iterable[Path]) -> list[Path]:
    """List the DICOM files among paths and in folders of them, each once; indexes (DICOMDIR) are left out.

    Raises MissingError if a path is not there, InputError if a file that is named is not DICOM.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise MissingError(f"{path}: there is no such file or folder. Check the path.")
        if path.is_file() and not _has_preamble(path):
            raise InputError(f"{path}: is not a DICOM file, and archives take nothing else.")
        files = [path] if path.is_file() else [file for file in files_below(path) if _has_preamble(file)]
        found |= dict.fromkeys(file for file in files if file.name.upper() != "DICOMDIR")
    return list(found)


def read_storable(path: Path) -> Storable:
    """Read what a file is. Raises InputError if it does not say so, or is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's about values that break the standard's letter
            header = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"])
            told = (header.SOPClassUID, header.SOPInstanceUID, header.file_meta.TransferSyntaxUID)
    except Exception as error:  # pydicom raises many kinds on damaged files
        raise InputError(f"{path}: the DICOM file is damaged. Export or copy it again.") from error
    sop_class, sop_instance, syntax = (str(each or "").strip() for each in told)
    if not (sop_class and sop_instance and syntax) or sop_class == DIRECTORY:
        raise InputError(f"{path}: does not say which object it is. Export or copy it again.")
    return Storable(path, sop_class, sop_instance, syntax)


def _has_preamble(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False
