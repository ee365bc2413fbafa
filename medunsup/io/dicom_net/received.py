"""Which study, series and object some received bytes are; nothing of the patient is read."""

import warnings
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from medunsup.core.errors import InputError
from medunsup.io.dicom.find import is_image

TAGS = [
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
    "NumberOfSeriesRelatedInstances",
    "Rows",
]
LONGEST_UID = 64


@dataclass(frozen=True)
class Received:
    """One object that arrived: its identifiers, whether it is an image, how many files its series has.

    Identifiers may hold a date, so files and folders are named after their hashes: no two alike, no dates,
    and nothing that a sender chose.
    """

    study: str
    series: str
    instance: str
    sop_class: str
    is_image: bool
    count: int | None

    @property
    def series_folder(self) -> Path:
        """Folder of the series below a spool: that of its study, and in it the series' own."""
        return Path(f"study-{_hash(self.study)}", f"series-{_hash(self.study, self.series)}")

    @property
    def file_name(self) -> str:
        """Name of the object's file in the folder of its series."""
        return f"{_hash(self.instance, digits=16)}.dcm"


def identify(content: bytes | Path) -> Received:
    """Read what an object in DICOM's file format is. Raises InputError if it does not say."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's may quote the values of a header
            source = BytesIO(content) if isinstance(content, bytes) else content
            header = dcmread(source, stop_before_pixels=True, specific_tags=list(TAGS))
            return _received(header)
    except Exception as error:  # pydicom raises many kinds on damaged files, and its words quote them
        raise InputError(
            "the object is damaged, or lacks an identifier of study, series or object"
        ) from error


def _received(header: Dataset) -> Received:
    count = header.get("NumberOfSeriesRelatedInstances")
    return Received(
        study=_uid(header, "StudyInstanceUID"),
        series=_uid(header, "SeriesInstanceUID"),
        instance=_uid(header, "SOPInstanceUID"),
        sop_class=_uid(header, "SOPClassUID"),
        is_image=is_image(header),
        count=int(count) if str(count or "").isdecimal() and int(count) > 0 else None,
    )


def _uid(header: Dataset, name: str) -> str:
    text = str(header[name].value).strip(" \0")
    if not 0 < len(text) <= LONGEST_UID or set(text) - set("0123456789."):
        raise ValueError(name)
    return text


def _hash(*texts: str, digits: int = 12) -> str:
    return sha256("\n".join(texts).encode()).hexdigest()[:digits]
