"""DICOM results of `detect` beside the NIfTI ones: findings as a segmentation, the anomaly score as a map."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.result import Finding
from medunsup.cohort.dicom.folder import by_kind, made_anew
from medunsup.cohort.dicom.reference import DicomForm, open_source
from medunsup.io.bids.names import sidecar_path
from medunsup.io.dicom.export_codes import ARBITRARY, MAXIMUM, ML, SCORE, VOLUME, Segment, finding_segment
from medunsup.io.dicom.export_report import MeasuredSegment, Quantity, write_report
from medunsup.report.detect.group_scan import WITHHELD, judged_as
from medunsup.workflows.detect.dicom.finding_labels import finding_labels
from medunsup.workflows.detect.outputs import ANOMALY, DICOM, MASK
from medunsup.workflows.detect.request import DetectRequest
from medunsup.workflows.detect.sidecar import DetectSidecar

MOST_FILES = 20  # of BINARY, one a finding; the others share a file


def write_dicom(
    request: DetectRequest, reference: Path | None = None, form: DicomForm = "labelmap"
) -> dict[str, Path]:
    """Write the DICOM files of a scan whose result is there; return them by kind.

    Each file has a folder of its own, all of them new UIDs; those of an earlier run are replaced. Without
    findings the segmentation has one segment, which is empty, and there is
    no report; nor is there one of a scan that is out of distribution or that the model has seen.

    Raises GeometryError if the series is not the one that the result lies on, InputError if it cannot be
    referred to, OutputError if a file cannot be written or does not read back.
    """
    from medunsup.io.dicom.export_objects import write_map, write_segmentation
    from medunsup.io.nifti.own_map import read_own_map

    names = request.names
    source = open_source(request.scan, reference)
    record = DetectSidecar.read(sidecar_path(names.path(MASK)))
    found = record.findings
    mask = read_own_map(names.path(MASK))
    numbered = source.frames(mask.like(finding_labels(mask, found), kind="label"))
    labels = numbered
    if form == "binary":
        labels = np.minimum(numbered, MOST_FILES + 1)
        found = found[:MOST_FILES]
    segments = segments_of(found, int(labels.max()))
    files: dict[int, Path] = {}
    folder = names.path(DICOM)
    with made_anew(folder) as hidden:
        if form == "labelmap":
            write_segmentation(source, labels, segments, hidden / "findings" / "findings.dcm")
        else:
            for each in segments:
                file = hidden / f"findings-{each.number:02d}" / "findings.dcm"
                files[each.number] = write_segmentation(source, labels, [each], file, "BINARY")
        write_map(
            source,
            source.frames(read_own_map(names.path(ANOMALY))),
            hidden / "map-anomaly" / "map.dcm",
            name="anomaly",
            quantity="Raw anomaly score; higher is less like healthy scans",
            unit=ARBITRARY,
        )
        measured = measured_findings(record, numbered, files)
        if measured:
            write_report(source, measured, hidden / "report" / "report.dcm")
    return by_kind(folder)


def segments_of(found: Sequence[Finding], largest: int) -> list[Segment]:
    """Describe the segments: one a finding, one for what is not listed, one that is empty if none is."""
    segments = [finding_segment(one.index, f"Finding {one.index}") for one in found]
    if largest > len(found):
        segments.append(finding_segment(len(found) + 1, "Further findings"))
    return segments or [finding_segment(1, "Findings: none")]


def measured_findings(
    record: DetectSidecar, labels: NDArray[np.integer], files: Mapping[int, Path]
) -> list[MeasuredSegment]:
    """Give volume and peak score of each finding, with its BINARY file if it has one of its own.

    `labels` are (slice, row, column). Nothing of a scan whose numbers mean nothing: out of distribution, or
    seen by the model.
    """
    seen = record.seen_by_model or ""
    verdict = judged_as(is_flagged=bool(record.flags), seen=seen, is_anomalous=record.is_anomalous)
    if verdict in WITHHELD:
        return []
    lies_on = slices_of(labels)
    return [
        MeasuredSegment(
            finding_segment(one.index, f"Finding {one.index}"),
            [
                Quantity(VOLUME, one.volume_mm3 / 1000, ML),
                Quantity(SCORE, one.peak, ARBITRARY, MAXIMUM),
            ],
            files.get(one.index) if one.index <= MOST_FILES else None,
            lies_on.get(one.index),
        )
        for one in record.findings
    ]


def slices_of(labels: NDArray[np.integer]) -> dict[int, list[int]]:
    """List the slices that each label of (slice, row, column) lies on."""
    found: dict[int, list[int]] = {}
    for index, each in enumerate(labels):
        for label in np.unique(each[each > 0]):
            found.setdefault(int(label), []).append(index)
    return found
