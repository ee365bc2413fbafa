"""Build DICOM segmentations and parametric maps with highdicom, write them, and read them back."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

from medunsup.core.errors import GeometryError, InputError, OutputError
from medunsup.core.version import __version__
from medunsup.io.dicom.export_codes import BRAIN, RATIO, Code, Segment
from medunsup.io.dicom.export_source import ExportSource
from medunsup.io.files.atomic import atomic_path

Form = Literal["LABELMAP", "BINARY"]
MAKER = {
    "manufacturer": "medunsup",
    "manufacturer_model_name": "medunsup",
    "software_versions": __version__,
    "device_serial_number": "none",
    "instance_number": 1,
}
CREATOR = {"content_creator_name": ""}  # a tag that must be there and may be empty
SEG_SERIES, MAP_SERIES = 9001, 9002
TOLERANCE_MM = 1e-4


def write_segmentation(
    source: ExportSource,
    labels: NDArray[Any],
    segments: Sequence[Segment],
    path: Path,
    form: Form = "LABELMAP",
) -> Path:
    """Write labels (slice, row, column) with the numbers of `segments` as one DICOM segmentation.

    BINARY takes one segment, LABELMAP any number; slices without a label are kept. UIDs are new each time.

    Raises InputError if it cannot be made of the source's headers, OutputError if the file does not read
    back voxel for voxel, GeometryError if no reader could place it.
    """
    from highdicom.seg import Segmentation

    data = labels.astype(np.uint8)
    if form == "BINARY":
        (segment,) = segments
        data = (labels == segment.number).astype(np.uint8)
        segments = [Segment(1, segment.name, segment.rgb, segment.category, segment.type)]
    made = _built(
        source,
        lambda: Segmentation(
            source_images=source.headers,
            pixel_array=_volume(source, data),
            segmentation_type=form,
            segment_descriptions=[_description(segment) for segment in segments],
            omit_empty_frames=False,
            transfer_syntax_uid=RLELossless if form == "LABELMAP" else ExplicitVRLittleEndian,
            content_label="SEGMENTATION",
            series_number=SEG_SERIES,
            series_description="medunsup segmentation",
            **_new_uids(),
        ),
    )
    return _published(source, made, data, path)


def write_map(
    source: ExportSource, values: NDArray[Any], path: Path, *, name: str, quantity: str, unit: Code = RATIO
) -> Path:
    """Write values (slice, row, column) as a float32 parametric map.

    `name` is up to 16 letters, `quantity` a sentence. Frames follow the slices along row x column, which
    readers that go by the order of frames need. Raises as `write_segmentation` does.
    """
    from highdicom import VOILUTTransformation
    from highdicom.pm import ParametricMap, RealWorldValueMapping
    from highdicom.sr import CodedConcept

    data = values.astype(np.float32)
    low, high = float(data.min()), float(data.max())
    mapping = RealWorldValueMapping(
        lut_label=name[:16],
        lut_explanation=quantity[:64],
        unit=CodedConcept(*unit),
        value_range=(low, high),
        slope=1.0,
        intercept=0.0,
    )
    made = _built(
        source,
        lambda: ParametricMap(
            source_images=source.headers,
            pixel_array=_volume(source, data),
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[mapping],
            voi_lut_transformations=[
                VOILUTTransformation(
                    window_center=(low + high) / 2,
                    window_width=max(high - low, 1e-6),
                    voi_lut_function="LINEAR_EXACT",  # the default does not allow less than 1 as a width
                )
            ],
            content_label=name.upper()[:16],
            content_description=quantity[:64],
            series_number=MAP_SERIES,
            series_description=f"medunsup {name}"[:64],
            **_new_uids(),
        ),
    )
    _say_anatomy(made)
    _ascend(made)
    return _published(source, made, data, path)


def _new_uids() -> dict[str, Any]:
    return {"series_instance_uid": generate_uid(), "sop_instance_uid": generate_uid(), **CREATOR, **MAKER}


def _volume(source: ExportSource, data: NDArray[Any]) -> Any:
    from highdicom import Volume

    return Volume(
        data, source.lps_affine, coordinate_system="PATIENT", frame_of_reference_uid=source.frame_of_reference
    )


def _description(segment: Segment) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from highdicom.sr import CodedConcept

    family = CodedConcept("123110", "DCM", "Artificial Intelligence")
    algorithm = AlgorithmIdentificationSequence(name="medunsup", version=__version__, family=family)
    return SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.name,
        segmented_property_category=CodedConcept(*segment.category),
        segmented_property_type=CodedConcept(*segment.type),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        anatomic_regions=[CodedConcept(*BRAIN)],
        display_color=CIELabColor.from_rgb(*segment.rgb),
    )


def _built(source: ExportSource, build: Callable[[], Any]) -> Any:
    """Build an object; what highdicom refuses of the source is told with the source's name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about values copied from the source, such as a short name
            return build()
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(
            f"{source.path}: no DICOM result can be made from its headers ({error}). Export the series again "
            "from the archive, or go without DICOM results."
        ) from error


def _say_anatomy(made: Dataset) -> None:
    """Add the optional anatomy of each frame, without which a reader of parametric maps ends early."""
    from highdicom.sr import CodedConcept

    for frame in made.PerFrameFunctionalGroupsSequence:
        item = Dataset()
        item.FrameLaterality = "U"
        item.AnatomicRegionSequence = [CodedConcept(*BRAIN)]
        frame.FrameAnatomySequence = [item]


def _ascend(made: Any) -> None:
    """Turn the order of the frames if they run against row x column."""
    frames = list(made.PerFrameFunctionalGroupsSequence)
    if len(frames) < 2:
        return
    shared = made.SharedFunctionalGroupsSequence[0].get("PlaneOrientationSequence")
    turned = np.array((shared or frames[0].PlaneOrientationSequence)[0].ImageOrientationPatient, float)
    first, last = (
        np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        for frame in (frames[0], frames[-1])
    )
    if (last - first) @ np.cross(turned[:3], turned[3:]) > 0:
        return
    indices = [frame.FrameContentSequence[0].DimensionIndexValues for frame in frames]
    for frame, index in zip(frames, reversed(indices), strict=True):
        frame.FrameContentSequence[0].DimensionIndexValues = index
    made.PerFrameFunctionalGroupsSequence = frames[::-1]
    pixels = np.frombuffer(made.FloatPixelData, "<f4").reshape(len(frames), -1)
    made.FloatPixelData = pixels[::-1].tobytes()


def _published(source: ExportSource, made: Dataset, expected: NDArray[Any], path: Path) -> Path:
    """Write under a temporary name, read back, and only then give the file its name."""
    with atomic_path(path) as hidden:
        made.save_as(hidden, enforce_file_format=True)
        _check(source, hidden, expected, path)
    return path


def _check(source: ExportSource, written: Path, expected: NDArray[Any], path: Path) -> None:
    try:
        found, affine = read_back(written)
    except (RuntimeError, ValueError) as error:
        raise GeometryError(
            f"{source.path}: a DICOM result of this series could not be placed by its readers ({error}), for "
            "example since its slices are unevenly spaced. Use the NIfTI results."
        ) from error
    wanted = source.lps_affine
    if affine[:3, 0] @ wanted[:3, 0] < 0:  # counted from the other end
        found = found[::-1]
        affine = affine.copy()
        affine[:3, 3] += affine[:3, 0] * (len(found) - 1)
        affine[:3, 0] *= -1
    if found.shape != expected.shape or not np.array_equal(found, expected):
        raise OutputError(f"{path}: does not read back as it was written. Please report this as a defect.")
    far = np.array([*(n - 1 for n in found.shape), 1])
    off = np.abs((affine - wanted)[:3] @ np.array([[0, 0, 0, 1], far]).T).max()
    if off > TOLERANCE_MM:
        raise OutputError(f"{path}: reads back {off:.2g} mm off its place. Please report this as a defect.")


def read_back(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Read a result as (slice, row, column) and its affine to LPS mm."""
    import highdicom as hd
    from pydicom import dcmread

    if dcmread(path, specific_tags=["Modality"]).Modality == "SEG":
        volume = hd.seg.segread(path).get_volume(combine_segments=True)
    else:
        volume = hd.imread(path).get_volume(dtype=np.float32, apply_real_world_transform=False)
    return volume.array, volume.affine
