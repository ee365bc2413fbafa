"""DICOM results beside the NIfTI ones: labels as a segmentation, fractions and uncertainty as maps."""

from pathlib import Path

import numpy as np

from medunsup.cohort.dicom.folder import by_kind, made_anew
from medunsup.cohort.dicom.reference import DicomForm, open_source
from medunsup.core.labels import class_table
from medunsup.io.bids.names import sidecar_path
from medunsup.io.dicom.export_codes import FROM_FRACTIONS, FROM_LABELS, ML, VOLUME, segment_of
from medunsup.io.dicom.export_report import Judgement, MeasuredSegment, Quantity, write_report
from medunsup.workflows.segment.outputs import DICOM, DSEG, PROBSEG, UNCERTAINTY
from medunsup.workflows.segment.request import SegmentRequest
from medunsup.workflows.segment.sidecar import SegmentSidecar, VolumeEntry


def write_dicom(
    request: SegmentRequest, reference: Path | None = None, form: DicomForm = "labelmap"
) -> dict[str, Path]:
    """Write the DICOM files of a scan whose result is there; return them by kind.

    Each file has a folder of its own, all of them new UIDs; those of an earlier run are replaced.

    Raises GeometryError if the series is not the one that the result lies on, InputError if it cannot be
    referred to, OutputError if a file cannot be written or does not read back.
    """
    from medunsup.io.dicom.export_objects import write_map, write_segmentation
    from medunsup.io.nifti.own_map import read_own_map

    names = request.names
    source = open_source(request.scan, reference)
    record = SegmentSidecar.read(sidecar_path(names.path(DSEG)))
    volumes, quality = record.volumes, record.quality
    tissues = list(volumes)
    segments = [segment_of(label) for label in class_table(len(tissues))]
    labels = np.rint(source.frames(read_own_map(names.path(DSEG)))).astype(np.uint8)
    folder = names.path(DICOM)
    with made_anew(folder) as hidden:
        files: list[Path | None] = [None] * len(tissues)
        if form == "labelmap":
            write_segmentation(source, labels, segments, hidden / "dseg" / "dseg.dcm")
        else:
            files = [
                write_segmentation(source, labels, [segment], hidden / f"dseg-{name}" / "dseg.dcm", "BINARY")
                for name, segment in zip(tissues, segments, strict=True)
            ]
        maps = {name: (names.path(PROBSEG, name), f"Fraction of {name} in each voxel") for name in tissues}
        maps["uncertainty"] = (names.path(UNCERTAINTY), "Normalised entropy of the tissues' probabilities")
        for name, (path, what) in maps.items():
            values = source.frames(read_own_map(path))
            write_map(source, values, hidden / f"map-{name}" / "map.dcm", name=name, quantity=what)
        measured = [
            MeasuredSegment(segment, quantities_of(volumes[name]), file)
            for name, segment, file in zip(tissues, segments, files, strict=True)
        ]
        judgement = Judgement(quality.verdict, quality.reasons)
        write_report(source, measured, hidden / "report" / "report.dcm", judgement)
    return by_kind(folder)


def quantities_of(volume: VolumeEntry) -> list[Quantity]:
    """Give a tissue's volume in ml from fractions, and from labels if it was measured."""
    told = [(volume.from_fractions_mm3, FROM_FRACTIONS), (volume.from_labels_mm3, FROM_LABELS)]
    return [Quantity(VOLUME, mm3 / 1000, ML, how) for mm3, how in told if mm3 is not None]
