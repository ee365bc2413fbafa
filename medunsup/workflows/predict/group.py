"""What all predictions in one folder say together: one table, one page."""

from collections.abc import Callable, Sequence
from pathlib import Path

from medunsup.cohort.failed import FailedScan, rows_of_failed, with_earlier
from medunsup.cohort.outputs import FEWEST, check_table
from medunsup.cohort.results import read_results
from medunsup.io.files.atomic import write_text
from medunsup.io.files.tsv import tsv
from medunsup.report.base.drawing import drawn
from medunsup.report.predict.group_page import PredictedScan, write_group_page
from medunsup.report.predict.words import meaning
from medunsup.workflows.predict import outputs
from medunsup.workflows.predict.sidecar import PredictSidecar

AsTable = Callable[[Sequence[PredictedScan], Sequence[FailedScan]], str]


def write_table_and_page(root: Path, failed: Sequence[FailedScan] = ()) -> Path | None:
    """Write the table of all scans in `root`, and from two scans on the page that compares them.

    Those that `failed` in this run, and those of an earlier one that have no result yet, are listed with the
    cause. Returns the page, or None if there is none. A defect in the page is logged and costs the page
    alone. Raises OutputError if they cannot be written.
    """
    return write_together(root, read_scans(root), failed, predictions_tsv)


def write_together(
    root: Path, scans: Sequence[PredictedScan], failed: Sequence[FailedScan], as_tsv: AsTable
) -> Path | None:
    """Do so for `scans`, whose table `as_tsv` makes."""
    table = root / outputs.ALL_PREDICTIONS.name
    if not scans:
        return None
    check_table(table)
    failed = with_earlier(table, failed, {scan.file for scan in scans})
    write_text(table, as_tsv(scans, failed))
    if len(scans) + len(failed) < FEWEST:
        return None
    return drawn(root, lambda: write_group_page(root / outputs.GROUP_PAGE.name, scans, failed))


def predictions_tsv(scans: Sequence[PredictedScan], failed: Sequence[FailedScan] = ()) -> str:
    """One row a scan: volume in ml of each label, flags, remarks; those that failed with the cause."""
    names = list(dict.fromkeys(name for scan in scans for name in scan.volumes_ml))
    columns = ["scan", *(f"{'_'.join(name.split())}_ml" for name in names)]
    columns += ["contrast", "verdict", "flags", "network", "error", "remarks"]
    rows = [columns]
    for scan in scans:
        volumes = [f"{scan.volumes_ml[name]:.4f}" if name in scan.volumes_ml else "n/a" for name in names]
        about = [scan.contrast or "n/a", scan.verdict, ",".join(scan.flags) or "none", scan.network]
        rows.append([scan.file, *volumes, *about, "n/a", " ".join(" ".join(scan.remarks).split()) or "none"])
    return tsv(rows + rows_of_failed(failed, {scan.file for scan in scans}, columns))


def read_scans(folder: Path) -> list[PredictedScan]:
    """All scans in `folder` and below that have a whole result, by name."""
    found = read_results(
        folder, PredictSidecar, record=outputs.DSEG, page=outputs.REPORT, thumbnail=outputs.THUMBNAIL
    )
    return [
        PredictedScan(
            name=one.name,
            file=one.file,
            network=one.sidecar.network.folder,
            weights_sha256=one.sidecar.network.weights_sha256,
            worth=meaning(one.sidecar.network),
            contrast=one.sidecar.contrast,
            volumes_ml={entry.name: entry.volume_ml for entry in one.sidecar.volumes},
            flags={flag.name: flag.sentence for flag in one.sidecar.flags},
            remarks=one.sidecar.remarks_and_warnings,
            page=one.page,
            thumbnail=one.thumbnail,
        )
        for one in found
    ]
