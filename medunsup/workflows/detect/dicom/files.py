"""DICOM results of `detect` beside the NIfTI ones: findings as a segmentation, the anomaly score as a map."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medunsup.anomaly.result import Finding
from medunsup.cohort.dicom.folder import by_kind, made_anew
from medunsup.cohort.dicom.reference import DicomForm, open_source
from medunsup.io.bids.names import sidecar_path
from medunsup.io.dicom.export_codes import ARBITRARY, Segment, finding_segment
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
    findings the segmentation has one segment, which is empty.

    Raises GeometryError if the series is not the one that the result lies on, InputError if it cannot be
    referred to, OutputError if a file cannot be written or does not read back.
    """
    from medunsup.io.dicom.export_objects import write_map, write_segmentation
    from medunsup.io.nifti.own_map import read_own_map

    names = request.names
    source = open_source(request.scan, reference)
    found = DetectSidecar.read(sidecar_path(names.path(MASK))).findings
    mask = read_own_map(names.path(MASK))
    labels = source.frames(mask.like(finding_labels(mask, found), kind="label"))
    if form == "binary":
        labels = np.minimum(labels, MOST_FILES + 1)
        found = found[:MOST_FILES]
    segments = segments_of(found, int(labels.max()))
    folder = names.path(DICOM)
    with made_anew(folder) as hidden:
        if form == "labelmap":
            write_segmentation(source, labels, segments, hidden / "findings" / "findings.dcm")
        else:
            for each in segments:
                file = hidden / f"findings-{each.number:02d}" / "findings.dcm"
                write_segmentation(source, labels, [each], file, "BINARY")
        write_map(
            source,
            source.frames(read_own_map(names.path(ANOMALY))),
            hidden / "map-anomaly" / "map.dcm",
            name="anomaly",
            quantity="Raw anomaly score; higher is less like healthy scans",
            unit=ARBITRARY,
        )
    return by_kind(folder)


def segments_of(found: Sequence[Finding], largest: int) -> list[Segment]:
    """Describe the segments: one a finding, one for what is not listed, one that is empty if none is."""
    segments = [finding_segment(one.index, f"Finding {one.index}") for one in found]
    if largest > len(found):
        segments.append(finding_segment(len(found) + 1, "Further findings"))
    return segments or [finding_segment(1, "Findings: none")]
