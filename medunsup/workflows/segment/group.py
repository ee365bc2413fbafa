"""What all results of one folder say together: one table of volumes, one page."""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from medunsup.cohort.failed import rows_of_failed, with_earlier
from medunsup.core.errors import MedunsupError, OutputError
from medunsup.io.bids.derivatives import check_root
from medunsup.io.bids.names import OutputNames
from medunsup.io.files.atomic import write_text
from medunsup.io.files.tsv import tsv
from medunsup.report.segment.group_results import FailedScan, GroupScan, read_scans

TABLE = "volumes.tsv"
FEWEST = 2  # scans of which a page compares

log = logging.getLogger(__name__)


def write_group(root: Path, failed: Sequence[FailedScan] = (), *, page: bool = True) -> Path | None:
    """Write the table of all scans in `root`, and from two scans on the page that compares them.

    Those that `failed` in this run, and those of an earlier one that have no result yet, are listed with the
    cause.
    Returns the page, or None if there is none. A defect in the page is logged and costs the page alone.

    Raises OutputError if the table's place is taken or cannot be written.
    """
    scans = read_scans(root)
    if not scans:
        return None
    check_table(root / TABLE)
    failed = with_earlier(root / TABLE, failed, {scan.file for scan in scans})
    write_text(root / TABLE, _table(scans, failed))
    if not page or len(scans) + len(failed) < FEWEST:
        return None
    return drawn(root, partial(_write_page, scans=scans, failed=failed))


def check_roots(names: Iterable[OutputNames], table: str) -> None:
    """Raise OutputError if a folder that results go into holds a data set or table that is not ours."""
    for root, is_bids in {(each.root, each.is_bids) for each in names}:
        if root is not None:
            check_table(root / table)
            if is_bids:
                check_root(root)


def check_table(path: Path) -> None:
    """Raise OutputError if a table of that name is there that is not ours."""
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith("scan\t"):
        raise OutputError(
            f"{path}: is there already and not ours. Move it, or choose another folder with -o."
        )


def drawn(root: Path, draw: Callable[[Path], Path]) -> Path | None:
    """Return the page that `draw` makes of all scans in `root`, or None if a defect kept it from that."""
    try:
        return draw(root)
    except (MedunsupError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - drawing fails in ways nobody can list
        log.error("%s: the page of all scans could not be made (%s: %s).", root, type(error).__name__, error)
        return None


def _write_page(root: Path, *, scans: Sequence[GroupScan], failed: Sequence[FailedScan]) -> Path:
    from medunsup.report.segment.group_page import write_group as write_page

    return write_page(root, scans, failed)


def _table(scans: Sequence[GroupScan], failed: Sequence[FailedScan]) -> str:
    tissues = list(dict.fromkeys(name for scan in scans for name in scan.volumes_mm3))
    columns = ["scan", *(f"{name}_mm3" for name in tissues), "mask_mm3", "verdict", "error"]
    rows = [columns]
    for scan in scans:
        volumes = [str(scan.volumes_mm3.get(name, "n/a")) for name in tissues]
        rows.append([scan.file, *volumes, str(scan.mask_mm3), scan.quality.verdict, "n/a"])
    return tsv(rows + rows_of_failed(failed, {scan.file for scan in scans}, columns))
