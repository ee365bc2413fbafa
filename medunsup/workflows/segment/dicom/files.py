"""DICOM results beside the NIfTI ones: labels as a segmentation, fractions and uncertainty as maps."""

from pathlib import Path
from shutil import rmtree
from typing import Literal

import numpy as np

from medunsup.core.errors import GeometryError
from medunsup.core.labels import class_table
from medunsup.io.bids.names import sidecar_path
from medunsup.io.load import load
from medunsup.workflows.segment.outputs import DICOM, DSEG, PROBSEG, UNCERTAINTY
from medunsup.workflows.segment.request import SegmentRequest
from medunsup.workflows.segment.sidecar import SegmentSidecar

DicomForm = Literal["labelmap", "binary"]
SAME_IMAGE = 0.95  # correlation of voxels; of 8 real heads .64 to .71 with another, .69 to .78 if flipped


def write_dicom(
    request: SegmentRequest, reference: Path | None = None, form: DicomForm = "labelmap"
) -> dict[str, Path]:
    """Write the DICOM files of a scan whose result is there; return them by kind.

    Each file has a folder of its own, all of them new UIDs; those of an earlier run are replaced.

    Raises GeometryError if the series is not the one that the result lies on, InputError if it cannot be
    referred to, OutputError if a file cannot be written or does not read back.
    """
    from medunsup.io.dicom.export_codes import segment_of
    from medunsup.io.dicom.export_objects import write_map, write_segmentation
    from medunsup.io.dicom.export_source import read_source
    from medunsup.io.nifti.own_map import read_own_map

    names, reading = request.names, request.settings.reading
    if reference is not None:
        source = read_source(reference)
    else:
        source = read_source(request.scan.path, series=reading.series, volume=reading.volume)
    if reference is not None:
        _check_same_image(request, reference)
    tissues = list(SegmentSidecar.read(sidecar_path(names.path(DSEG))).volumes)
    segments = [segment_of(label) for label in class_table(len(tissues))]
    labels = np.rint(source.frames(read_own_map(names.path(DSEG)))).astype(np.uint8)
    folder = names.path(DICOM)
    hidden = folder.with_name(f".{folder.name}.part")
    rmtree(hidden, ignore_errors=True)
    try:
        made = []
        if form == "labelmap":
            made.append(write_segmentation(source, labels, segments, hidden / "dseg" / "dseg.dcm"))
        else:
            for name, segment in zip(tissues, segments, strict=True):
                file = hidden / f"dseg-{name}" / "dseg.dcm"
                made.append(write_segmentation(source, labels, [segment], file, "BINARY"))
        maps = {name: (names.path(PROBSEG, name), f"Fraction of {name} in each voxel") for name in tissues}
        maps["uncertainty"] = (names.path(UNCERTAINTY), "Normalised entropy of the tissues' probabilities")
        for name, (path, what) in maps.items():
            values = source.frames(read_own_map(path))
            file = hidden / f"map-{name}" / "map.dcm"
            made.append(write_map(source, values, file, name=name, quantity=what))
        _replace(folder, hidden)
    finally:
        rmtree(hidden, ignore_errors=True)
    return {f"dicom_{path.parent.name}": folder / path.relative_to(hidden) for path in made}


def _check_same_image(request: SegmentRequest, reference: Path) -> None:
    """Refuse a series that shows another head: series of one protocol may share their grid."""
    how = request.settings.reading
    scan = load(request.scan.path, volume=how.volume, series=how.series, coordinates=how.coordinates)
    series = load(reference)
    if scan.shape != series.shape:
        raise GeometryError(
            f"{reference}: is not the series that the scan was converted from: {series.shape} voxels, the "
            f"scan {scan.shape}."
        )
    seen = scan.data != 0  # faces are removed by zeros
    alike = float(np.corrcoef(scan.data[seen], series.data[seen])[0, 1])
    if not alike >= SAME_IMAGE:
        raise GeometryError(
            f"{reference}: shows another image than {request.scan.path} (correlation of voxels {alike:.2f}; "
            f"at least {SAME_IMAGE} is needed). Give the series that the scan was converted from."
        )


def _replace(folder: Path, made: Path) -> None:
    """Put a folder in the place of an earlier one, which is deleted only when the new one is there."""
    earlier = folder.with_name(f".{folder.name}.earlier")
    rmtree(earlier, ignore_errors=True)
    if folder.exists():
        folder.rename(earlier)
    made.rename(folder)
    rmtree(earlier, ignore_errors=True)
