"""Read what `segment` left of each scan of a folder."""

from pathlib import Path

from medunsup.cohort.results import read_results
from medunsup.report.segment.group_scan import GroupScan
from medunsup.workflows.segment import outputs
from medunsup.workflows.segment.sidecar import SegmentSidecar


def read_scans(folder: Path) -> list[GroupScan]:
    """All scans in `folder` and below that have a whole result, by name."""
    found = read_results(
        folder, SegmentSidecar, record=outputs.DSEG, page=outputs.REPORT, thumbnail=outputs.THUMBNAIL
    )
    return [
        GroupScan(
            name=one.name,
            file=one.file,
            quality=one.sidecar.quality,
            volumes_mm3=one.sidecar.volumes_mm3,
            mask_mm3=one.sidecar.brain_mask_mm3,
            page=one.page,
            thumbnail=one.thumbnail,
        )
        for one in found
    ]
