"""What all results of `detect` in one folder say together: one table, one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.failed import FailedScan, rows_of_failed, with_earlier
from medunsup.cohort.outputs import FEWEST
from medunsup.io.files.atomic import write_text
from medunsup.io.files.tsv import tsv
from medunsup.report.base.drawing import drawn
from medunsup.report.detect.group_scan import AnomalyScan, models_of
from medunsup.report.detect.group_shift import shift_words
from medunsup.workflows.detect.outputs import ALL_ANOMALIES, GROUP_PAGE
from medunsup.workflows.detect.results import read_scans

COLUMNS = (
    "scan",
    "p_value",
    "alpha",
    "verdict",
    "n_findings",
    "findings_ml",
    "largest_ml",
    "flags",
    "error",
    "remarks",
)


@dataclass(frozen=True)
class Group:
    """What was made of all scans in a folder: `page` may be None; `warnings` are of the scans as a whole."""

    page: Path | None
    warnings: tuple[str, ...] = ()


def write_table_and_page(root: Path, failed: Sequence[FailedScan] = ()) -> Group:
    """Write table and page of all scans in `root` and those that `failed` in this run, from two scans on.

    Those that failed in an earlier run stay named until they have a result. A defect in the page is logged
    and costs the page alone. Raises OutputError if they cannot be written.
    """
    scans, table = read_scans(root), root / ALL_ANOMALIES.name
    if not scans or len(scans) + len(failed) < FEWEST:
        return Group(None)
    failed = with_earlier(table, failed, {scan.file for scan in scans})
    write_text(table, anomalies_tsv(scans, failed))
    page = drawn(root, lambda: _write_page(root, scans, failed))
    return Group(page, shift_words(scans, models_of(scans)))


def anomalies_tsv(scans: Sequence[AnomalyScan], failed: Sequence[FailedScan] = ()) -> str:
    """One row a scan: p-value, verdict at `alpha`, volumes of the findings, what sets it apart, remarks.

    An OOD scan has n/a for the numbers that the page withholds: a script would use them.
    A scan that failed has its row unless an earlier run left a result of it.
    """
    rows = rows_of_failed(failed, {scan.file for scan in scans}, COLUMNS)
    return tsv([COLUMNS, *(_row(scan) for scan in scans), *rows])


def _row(scan: AnomalyScan) -> list[str]:
    alpha = "n/a" if scan.alpha is None else f"{scan.alpha:g}"
    p_value, *found = ["n/a"] * 4
    if scan.is_judged:
        p_value = f"{scan.p_value:.5g}"
        found = [str(len(scan.findings)), f"{scan.findings_ml:.3f}", f"{scan.largest_ml:.3f}"]
    return [
        scan.file,
        p_value,
        alpha,
        scan.judged,
        *found,
        ",".join(flag.name for flag in scan.flags) or "none",
        "n/a",
        " ".join(" ".join(scan.remarks).split()) or "none",
    ]


def _write_page(root: Path, scans: Sequence[AnomalyScan], failed: Sequence[FailedScan]) -> Path:
    from medunsup.report.detect import group_page

    return group_page.write_group_page(root / GROUP_PAGE.name, scans, failed)
