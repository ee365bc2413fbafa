"""What all results of one folder say together: one table of volumes, one page."""

from collections.abc import Sequence
from pathlib import Path

from medunsup.cohort.failed import FailedScan, rows_of_failed, with_earlier
from medunsup.cohort.outputs import FEWEST, check_table
from medunsup.cohort.results import read_results
from medunsup.io.files.atomic import write_text
from medunsup.io.files.tsv import tsv
from medunsup.report.base.drawing import drawn
from medunsup.report.base.text import contrasts_of
from medunsup.report.segment.group_scan import GroupScan
from medunsup.workflows.segment import outputs
from medunsup.workflows.segment.outputs import ALL_VOLUMES, GROUP_PAGE
from medunsup.workflows.segment.sidecar import SegmentSidecar


def write_group(
    folder: str | Path,
    scans: Sequence[GroupScan] | None = None,
    failed: Sequence[FailedScan] = (),
) -> Path:
    """Write `group_report.html` over all segmented scans of a folder and those below it.

    A scan stands out if a share of volume, the brain mask's volume or a quality measure lies far from the
    median of the scans of its contrast (robust z, where there are scans enough).

    Parameters
    ----------
    folder : str or Path
        Folder that holds the results.
    scans : sequence of GroupScan, optional
        What is known of the scans, if it was read already.
    failed : sequence of FailedScan, default ()
        Scans without a result; they are counted and listed with the reason.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        If the folder holds no result.
    OutputError
        If the page cannot be written.

    Examples
    --------
    >>> import medunsup
    >>> from medunsup.report import write_group
    >>> done = medunsup.segment_many(["scan.nii.gz", "patient.nii.gz"], "group")
    >>> write_group("group").name
    'group_report.html'
    """
    from medunsup.report.segment import group_page

    page = Path(folder) / GROUP_PAGE.name
    return group_page.write_group_page(page, read_scans(page.parent) if scans is None else scans, failed)


def write_table_and_page(root: Path, failed: Sequence[FailedScan] = (), *, page: bool = True) -> Path | None:
    """Write the table of all scans in `root`, and from two scans on the page that compares them.

    Those that `failed` in this run, and those of an earlier one that have no result yet, are listed with the
    cause.
    Returns the page, or None if there is none. A defect in the page is logged and costs the page alone.

    Raises OutputError if the table's place is taken or cannot be written.
    """
    scans, table = read_scans(root), root / ALL_VOLUMES.name
    if not scans:
        return None
    check_table(table)
    failed = with_earlier(table, failed, {scan.file for scan in scans})
    write_text(table, _table(scans, failed))
    if not page or len(scans) + len(failed) < FEWEST:
        return None
    return drawn(root, lambda: write_group(root, scans, failed))


def _table(scans: Sequence[GroupScan], failed: Sequence[FailedScan]) -> str:
    tissues = list(dict.fromkeys(name for scan in scans for name in scan.volumes_mm3))
    columns = ["scan", *(f"{name}_mm3" for name in tissues), "mask_mm3", "contrast", "verdict", "error"]
    rows = [columns]
    for scan in scans:
        volumes = [str(scan.volumes_mm3.get(name, "n/a")) for name in tissues]
        about = [scan.contrast or "n/a", scan.quality.verdict, "n/a"]
        rows.append([scan.file, *volumes, str(scan.mask_mm3), *about])
    return tsv(rows + rows_of_failed(failed, {scan.file for scan in scans}, columns))


def read_scans(folder: Path) -> list[GroupScan]:
    """All scans in `folder` and below that have a whole result, by name."""
    found = read_results(
        folder, SegmentSidecar, record=outputs.DSEG, page=outputs.REPORT, thumbnail=outputs.THUMBNAIL
    )
    return [
        GroupScan(
            name=one.name,
            file=one.file,
            contrast=contrasts_of(one.sidecar.steps),
            quality=one.sidecar.quality,
            volumes_mm3=one.sidecar.volumes_mm3,
            mask_mm3=one.sidecar.brain_mask_mm3,
            page=one.page,
            thumbnail=one.thumbnail,
        )
        for one in found
    ]
