"""What all predicted classes in one folder say together: one table, one page."""

from collections.abc import Sequence
from pathlib import Path

from medunsup.cohort.failed import FailedScan, rows_of_failed
from medunsup.cohort.results import read_results
from medunsup.io.files.tsv import tsv
from medunsup.report.predict.group_page import PredictedScan
from medunsup.report.predict.words import meaning
from medunsup.workflows.predict import outputs
from medunsup.workflows.predict.class_outputs import CLASSES_RECORD
from medunsup.workflows.predict.class_sidecar import ClassSidecar
from medunsup.workflows.predict.group import write_together

PREDICTION = "prediction"


def write_classes_table_and_page(root: Path, failed: Sequence[FailedScan] = ()) -> Path | None:
    """Write the table of all scans in `root`, and from two scans on the page that compares them.

    All else as for label maps. Raises OutputError if they cannot be written.
    """
    return write_together(root, read_classes(root), failed, classes_tsv)


def classes_tsv(scans: Sequence[PredictedScan], failed: Sequence[FailedScan] = ()) -> str:
    """One row a scan: likeliest class, probability of each, flags, remarks; those that failed with why."""
    names = list(dict.fromkeys(name for scan in scans for name in scan.probabilities))
    columns = ["scan", PREDICTION, *(f"p_{'_'.join(name.split())}" for name in names)]
    columns += ["contrast", "verdict", "flags", "network", "error", "remarks"]
    rows = [columns]
    for scan in scans:
        shares = [
            f"{scan.probabilities[name]:.6g}" if name in scan.probabilities else "n/a" for name in names
        ]
        about = [scan.contrast or "n/a", scan.verdict, ",".join(scan.flags) or "none", scan.network]
        remarks = " ".join(" ".join(scan.remarks).split()) or "none"
        rows.append([scan.file, scan.predicted, *shares, *about, "n/a", remarks])
    return tsv(rows + rows_of_failed(failed, {scan.file for scan in scans}, columns))


def read_classes(folder: Path) -> list[PredictedScan]:
    """All scans in `folder` and below that have a whole result, by name."""
    found = read_results(
        folder, ClassSidecar, record=CLASSES_RECORD, page=outputs.REPORT, thumbnail=outputs.THUMBNAIL
    )
    return [
        PredictedScan(
            name=one.name,
            file=one.file,
            network=one.sidecar.network.folder,
            weights_sha256=one.sidecar.network.weights_sha256,
            worth=meaning(one.sidecar.network),
            contrast=one.sidecar.contrast,
            flags={flag.name: flag.sentence for flag in one.sidecar.flags},
            remarks=one.sidecar.remarks_and_warnings,
            page=one.page,
            thumbnail=one.thumbnail,
            predicted=one.sidecar.predicted,
            probabilities=one.sidecar.probabilities,
        )
        for one in found
    ]
