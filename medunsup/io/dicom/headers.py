"""Read DICOM headers: the known tags of a file and where a frame's values lie. No patient tag is read."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from medunsup.core.errors import InputError
from medunsup.io.sniff import is_bare_dicom

# Only these are ever read; names, birth dates and identifiers of the patient are not among them.
TAGS = (
    "SpecificCharacterSet",
    "SOPClassUID", "SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber",
    "SeriesDescription", "ProtocolName", "ImageType", "InstanceNumber", "NumberOfFrames", "Rows", "Columns",
    "SamplesPerPixel", "PhotometricInterpretation", "BitsStored", "HighBit", "PixelRepresentation",
    "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID", "PixelSpacing",
    "SliceThickness", "SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "MRAcquisitionType", "ScanningSequence", "SequenceVariant", "SequenceName", "ScanOptions",
    "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "EchoNumbers", "TemporalPositionIdentifier",
    "TriggerTime", "DiffusionBValue", "DiffusionGradientOrientation", "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "ReceiveCoilName", "AcquisitionNumber", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime",
    "ContentTime", "ImagesInAcquisition", "ComplexImageComponent", "AcquisitionContrast",
    "PulseSequenceName", "BodyPartExamined", "StudyDescription",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
# The standard's functional group macros of MR; any other sequence of a frame may hold values of other images.
MACROS = tuple(
    Tag(f"{name}Sequence")
    for name in (
        "PixelMeasures", "PlanePosition", "PlaneOrientation", "FrameContent", "PixelValueTransformation",
        "MRImageFrameType", "MRTimingAndRelatedParameters", "MREcho", "MRModifier", "MRFOVGeometry",
        "MRImagingModifier", "MRReceiveCoil", "MRTransmitCoil", "MRDiffusion", "MRAverages",
        "MRVelocityEncoding", "MRMetaboliteMap", "MRArterialSpinLabeling", "TemporalPosition", "FrameAnatomy",
        "CardiacSynchronization", "RespiratorySynchronization", "ContrastBolusUsage",
    )
)  # fmt: skip
# What converted files keep of the old ones: it counts where no macro says the same.
CONVERTED = tuple(Tag(f"Unassigned{each}ConvertedAttributesSequence") for each in ("PerFrame", "Shared"))
UID_CHARACTERS = frozenset("0123456789.")
PIXELS = tuple(Tag(name) for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))


@dataclass(frozen=True)
class Attributes:
    """The attributes of one frame, looked up wherever the standard lets them lie, nearest first."""

    sets: tuple[Dataset, ...]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an attribute by its keyword; `default` where it is absent or empty."""
        tag = _tag(name)
        for each in self.sets:
            if tag in each and (value := each[tag].value) is not None and value != "":
                return value
        return default

    def texts(self, name: str) -> list[str]:
        """Return the values of an attribute in capitals; pydicom gives one value alone without a list."""
        value = self.get(name, ())
        return [str(each).upper() for each in ((value,) if isinstance(value, str) else value)]


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def read_header(path: Path) -> Dataset | None:
    """Read the known tags of one file; None if it is not DICOM. Pixels stand as an empty element.

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
                header = _read_to_pixels(file)
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


def attributes_of(header: Dataset | Attributes) -> Attributes:
    """Return the attributes of a file's first frame."""
    return header if isinstance(header, Attributes) else next(frames_of(header))


def frames_of(header: Dataset) -> Iterator[Attributes]:
    """Yield the attributes of each frame of a file; a file without frames is one frame."""
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    if not per_frame:
        yield from [Attributes((header,))] * int(header.get("NumberOfFrames") or 1)
        return
    shared = list(header.get("SharedFunctionalGroupsSequence") or ())
    macros, converted = tuple(_inside(shared, MACROS)), tuple(_inside(shared, CONVERTED))
    for item in per_frame:
        yield Attributes((*_inside([item], MACROS), *macros, *_inside([item], CONVERTED), *converted, header))


def sop_class(header: Dataset) -> UID:
    """Kind of object, whose `name` is such as 'MR Image Storage'; empty if it is not told, or damaged."""
    told = header.get("SOPClassUID") or getattr(header, "file_meta", {}).get("MediaStorageSOPClassUID")
    text = str(told or "").strip()
    return UID(text if not set(text) - UID_CHARACTERS else "")


def _read_to_pixels(file: Any) -> Dataset:
    """Read the known tags up to the pixels, and leave an empty element where there are some."""
    met: list[BaseTag] = []

    def stop(tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag in PIXELS:
            met.append(tag)
        return bool(met)

    header = read_partial(file, stop, specific_tags=[Tag(name) for name in TAGS], force=True)
    for tag in met:
        header.add_new(tag, "OW", b"")
    return header


def _inside(items: Iterable[Dataset], names: Iterable[BaseTag]) -> Iterator[Dataset]:
    """Yield the data sets inside the named sequences of functional groups; a maker's own are never named."""
    for item in items:
        for name in names:
            if name in item and item[name].VR == "SQ" and item[name].value:
                yield item[name].value[0]


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
