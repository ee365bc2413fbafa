"""A structured report of measurements (TID 1500) with highdicom: written, read back, and only then named."""

import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from medunsup.core.errors import InputError, OutputError
from medunsup.core.version import __version__
from medunsup.io.dicom.export_codes import (
    BRAIN,
    BRAIN_MRI,
    IMAGING,
    REASON,
    VERDICT,
    Code,
    Segment,
    verdict_code,
)
from medunsup.io.dicom.export_source import ExportSource
from medunsup.io.files.atomic import atomic_path

REPORT_SERIES = 9003
DIGITS = 6  # significant ones that are kept, and that must read back


@dataclass(frozen=True)
class Quantity:
    """One number with its codes: what it is, its unit, how it was derived."""

    name: Code
    value: float
    unit: Code
    derivation: Code | None = None


@dataclass(frozen=True)
class MeasuredSegment:
    """What was measured of one segment.

    `segmentation` is the DICOM file that holds this segment alone, as number 1; None refers to the images:
    all of them, or those of the `slices` that it lies on.
    """

    segment: Segment
    quantities: Sequence[Quantity] = field(default=())
    segmentation: Path | None = None
    slices: Sequence[int] | None = None


@dataclass(frozen=True)
class Judgement:
    """The verdict on the quality of what was measured, such as "check", and why, in sentences."""

    verdict: str
    reasons: tuple[str, ...] = ()


def write_report(
    source: ExportSource,
    measured: Sequence[MeasuredSegment],
    path: Path,
    judgement: Judgement | None = None,
) -> Path:
    """Write what was measured as a Comprehensive SR "Imaging Measurement Report". UIDs are new each time.

    A judgement comes first, as a group of its own that holds no number; its reasons are written in ASCII.

    Raises InputError if it cannot be made of the source's headers, OutputError if it does not read back.
    """
    from highdicom.sr import ComprehensiveSR

    if judgement is not None:
        judgement = replace(judgement, reasons=tuple(ascii_text(each) for each in judgement.reasons))
    found = [None if one.segmentation is None else dcmread(one.segmentation) for one in measured]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about values copied from the source, such as a short name
            groups = [] if judgement is None else [_judgement_group(source, judgement)]
            groups += [_group(source, one, each) for one, each in zip(measured, found, strict=True)]
            made = ComprehensiveSR(
                evidence=[*source.headers, *(each for each in found if each is not None)],
                content=_content(source, groups)[0],
                series_instance_uid=generate_uid(),
                series_number=REPORT_SERIES,
                series_description="medunsup measurements",
                sop_instance_uid=generate_uid(),
                instance_number=1,
                manufacturer="medunsup",
                manufacturer_model_name="medunsup",
                software_versions=__version__,
                device_serial_number="none",
                is_complete=True,
            )
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(
            f"{source.path}: no DICOM report can be made from its headers ({error}). Export the series again "
            "from the archive, or go without DICOM results."
        ) from error
    return _published(made, measured, judgement, path)


def ascii_text(text: str) -> str:
    """Write a text in ASCII: the series may be in any character set, and readers refuse what is not in it."""
    plain = unicodedata.normalize("NFKC", text).translate(str.maketrans("–—‘’“”", "--''\"\""))
    return plain.encode("ascii", "replace").decode().strip()


def read_report(path: Path) -> list[tuple[str, dict[tuple[str, str], float]]]:
    """Read the groups of a report: its name, and each number by the codes of name and derivation or ""."""
    return [
        (
            str(group.tracking_identifier),
            {
                (one.name.value, one.derivation.value if one.derivation else ""): float(one.value)
                for one in group.get_measurements()
            },
        )
        for group in _groups(path)
        if not _verdicts(group)
    ]


def read_judgement(path: Path) -> Judgement | None:
    """Read the verdict of a report on the quality, and its reasons; None if it has none."""
    for group in _groups(path):
        for verdict in _verdicts(group):
            reasons = [
                item.TextValue
                for item in group[0].ContentSequence
                if item.ValueType == "TEXT" and item.name.value == REASON[0]
            ]
            return Judgement(verdict.value.meaning.lower(), tuple(reasons))
    return None


def _groups(path: Path) -> list[Any]:
    """List the groups of a report, those that refer to segments first."""
    from highdicom.sr import srread

    content = srread(path).content
    return [*content.get_volumetric_roi_measurement_groups(), *content.get_image_measurement_groups()]


def _verdicts(group: Any) -> list[Any]:
    from highdicom.sr import CodedConcept

    return list(group.get_qualitative_evaluations(CodedConcept(*VERDICT)))


def _content(source: ExportSource, groups: Sequence[Any]) -> Any:
    from highdicom.sr import (
        CodedConcept,
        DeviceObserverIdentifyingAttributes,
        MeasurementReport,
        ObservationContext,
        ObserverContext,
    )

    device = DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=["medunsup", __version__]), name="medunsup", model_name=__version__
    )
    observer = ObserverContext(CodedConcept("121007", "DCM", "Device"), device)
    is_mr = source.headers[0].get("Modality") == "MR"
    return MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=CodedConcept(*(BRAIN_MRI if is_mr else IMAGING)),
        imaging_measurements=groups,
        title=CodedConcept("126000", "DCM", "Imaging Measurement Report"),
    )


def _group(source: ExportSource, one: MeasuredSegment, segmentation: Dataset | None) -> Any:
    from highdicom import sr

    common: dict[str, Any] = {
        "tracking_identifier": sr.TrackingIdentifier(generate_uid(), one.segment.name),
        "finding_type": sr.CodedConcept(*one.segment.type),
        "finding_category": sr.CodedConcept(*one.segment.category),
        "finding_sites": [sr.FindingSite(sr.CodedConcept(*BRAIN))],
        "algorithm_id": sr.AlgorithmIdentification("medunsup", __version__),
        "measurements": [_measurement(each) for each in one.quantities],
    }
    if segmentation is None:
        headers = source.headers
        if one.slices is not None and len(headers) == source.grid.shape[2]:  # not of an enhanced source
            headers = tuple(headers[index] for index in one.slices)
        images = [sr.SourceImageForMeasurementGroup.from_source_image(each) for each in headers]
        return sr.MeasurementsAndQualitativeEvaluations(source_images=images, **common)
    segment = sr.ReferencedSegment(
        segmentation.SOPClassUID,
        segmentation.SOPInstanceUID,
        segment_number=1,
        source_series=sr.SourceSeriesForSegmentation(source.headers[0].SeriesInstanceUID),
    )
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **common)


def _judgement_group(source: ExportSource, judgement: Judgement) -> Any:
    """Make a group (TID 1501) of qualitative evaluations: the verdict as a code, each reason as a text."""
    from highdicom import sr

    verdict = sr.QualitativeEvaluation(
        sr.CodedConcept(*VERDICT), sr.CodedConcept(*verdict_code(judgement.verdict))
    )
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(generate_uid(), "Quality of the result"),
        algorithm_id=sr.AlgorithmIdentification("medunsup", __version__),
        qualitative_evaluations=[verdict],
        source_images=[sr.SourceImageForMeasurementGroup.from_source_image(each) for each in source.headers],
    )
    for reason in judgement.reasons:
        text = sr.TextContentItem(sr.CodedConcept(*REASON), reason, sr.RelationshipTypeValues.CONTAINS)
        group[0].ContentSequence.append(text)
    return group


def _measurement(one: Quantity) -> Any:
    from highdicom import sr

    return sr.Measurement(
        name=sr.CodedConcept(*one.name),
        value=float(f"{one.value:.{DIGITS}g}"),
        unit=sr.CodedConcept(*one.unit),
        derivation=None if one.derivation is None else sr.CodedConcept(*one.derivation),
    )


def _published(
    made: Dataset, measured: Sequence[MeasuredSegment], judgement: Judgement | None, path: Path
) -> Path:
    """Write under a temporary name, read back, and only then give the file its name."""
    with atomic_path(path) as hidden:
        made.save_as(hidden, enforce_file_format=True)
        _check(hidden, measured, judgement, path)
    return path


def _check(
    written: Path, measured: Sequence[MeasuredSegment], judgement: Judgement | None, path: Path
) -> None:
    """Compare verdict, names and numbers, those that refer to segments first, as they are read."""
    wanted = sorted(measured, key=lambda one: one.segmentation is None)
    found = read_report(written)
    is_same = read_judgement(written) == judgement
    is_same &= [name for name, _ in found] == [one.segment.name for one in wanted]
    for (_, numbers), one in zip(found, wanted, strict=False):
        told = {
            (each.name[0], each.derivation[0] if each.derivation else ""): each.value
            for each in one.quantities
        }
        is_same &= numbers.keys() == told.keys()
        is_same = is_same and np.allclose([numbers[key] for key in told], list(told.values()), rtol=1e-5)
    if not is_same:
        raise OutputError(f"{path}: does not read back as it was written. Please report this as a defect.")
