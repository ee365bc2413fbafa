"""The group page: all scans of a folder in one table, the ones to look at first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.failed import FailedScan
from medunsup.core.errors import InputError
from medunsup.core.labels import Label, class_table
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base.images import those_that_fit
from medunsup.report.base.numbers import minus
from medunsup.report.base.render import number, render
from medunsup.report.base.strip_plot import Strip, strip
from medunsup.report.base.text import DISCLAIMER, NOT_PROCESSED, VERDICTS, tissue_name
from medunsup.report.segment.group_scan import GroupScan
from medunsup.report.segment.outliers import ENOUGH, Deviation, deviations

SEVERITY = {"fail": 0, "check": 1, "partial": 3, "pass": 4}
SEVERITY_OF_OUTLIER = 2
SPREAD_FROM = 3  # scans; one or two have no spread, and the table holds their numbers

Measures = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Row:
    """One scan in the table, with what makes it stand out."""

    scan: GroupScan
    deviations: tuple[Deviation, ...]
    thumbnail: str

    @property
    def rank(self) -> tuple[int, float, str]:
        """Failed first, then those to look at, then outliers; the farthest out first."""
        severity = SEVERITY[self.scan.quality.verdict]
        if self.deviations:
            severity = min(severity, SEVERITY_OF_OUTLIER)
        return severity, -max((abs(item.z) for item in self.deviations), default=0.0), self.scan.name


def write_group_page(path: Path, scans: Sequence[GroupScan], failed: Sequence[FailedScan] = ()) -> Path:
    """Write the page of the segmented scans of its folder to `path`, and return that.

    Those that `failed` are named first. A scan stands out if a share of volume, the brain mask's volume or a
    quality measure lies far from the median of the scans of its contrast (robust z, where there are scans
    enough): tissue volumes of different contrasts differ by method.

    Raises InputError if there is no scan, OutputError if the page cannot be written.
    """
    if not scans:
        raise InputError(
            f"{path.parent}: holds no result of medunsup (no *_dseg.json). Run medunsup segment first."
        )
    rows = _rows(scans)
    tissues = _tissues(scans)
    contrasts = Counter(scan.contrast for scan in scans).most_common()
    spreads = {name: _strips(rows, tissues, name) for name, _ in contrasts}
    facts = {
        "rows": rows,
        "tissues": tissues,
        "contrasts": contrasts,
        "spreads": {name: strips for name, strips in spreads.items() if strips},
        "counts": {verdict: sum(scan.quality.verdict == verdict for scan in scans) for verdict in VERDICTS},
        "verdicts": VERDICTS,
        "failed": failed,
        "not_processed": NOT_PROCESSED,
        "n_outliers": sum(bool(row.deviations) for row in rows),
        "enough": ENOUGH,
        "is_enough": contrasts[0][1] >= ENOUGH,
        "labels_of": _label_of_measure,
        "folder": path.parent.resolve().name,
        "version": __version__,
        "disclaimer": DISCLAIMER,
    }
    return write_text(path, render("group.html.j2", **facts))


def _rows(scans: Sequence[GroupScan]) -> list[Row]:
    """Rows in the order to look at them; thumbnails as long as the page stays small."""
    rows = []
    for contrast in dict.fromkeys(scan.contrast for scan in scans):
        alike = [scan for scan in scans if scan.contrast == contrast]
        found = deviations(_measures(alike))
        rows += [Row(scan, tuple(each), scan.thumbnail) for scan, each in zip(alike, found, strict=True)]
    rows.sort(key=lambda row: row.rank)
    kept = those_that_fit([row.thumbnail for row in rows])
    return [replace(row, thumbnail=thumbnail) for row, thumbnail in zip(rows, kept, strict=True)]


def _measures(scans: Sequence[GroupScan]) -> Measures:
    """Every number that can stand out, one value a scan, NaN where it is not known."""
    each = [
        {f"share of {name}": share for name, share in scan.shares.items()}
        | {"brain mask": scan.mask_mm3 / 1000}
        | scan.quality.measures
        for scan in scans
    ]
    names = dict.fromkeys(name for measures in each for name in measures)
    return {name: np.array([measures.get(name, np.nan) for measures in each], float) for name in names}


def _tissues(scans: Sequence[GroupScan]) -> list[Label]:
    """List the classes that occur, each once, with name and colour."""
    found: dict[str, Label] = {}
    for scan in scans:
        for label in class_table(len(scan.volumes_mm3)):
            if label.abbreviation in scan.volumes_mm3:
                found.setdefault(label.abbreviation, label)
    return list(found.values())


def _strips(rows: list[Row], tissues: list[Label], contrast: str) -> list[Strip]:
    """One strip a tissue (share of the mask), one for the whole; none of fewer than three of the contrast."""
    names = [row.scan.name for row in rows]
    is_shown = np.array([row.scan.contrast == contrast for row in rows])
    out = {
        measure: {n for n, row in enumerate(rows) if any(item.measure == measure for item in row.deviations)}
        for measure in {item.measure for row in rows for item in row.deviations}
    }
    strips = []
    for label in tissues:
        shares = [100 * row.scan.shares.get(label.abbreviation, np.nan) for row in rows]
        title = tissue_name(label.abbreviation, label.name)
        marked = out.get(f"share of {label.abbreviation}", set())
        values = np.where(is_shown, np.array(shares, float), np.nan)
        strips.append(strip(title, label.hex, names, values, marked, "%"))
    whole = np.where(is_shown, np.array([row.scan.mask_mm3 / 1000 for row in rows], float), np.nan)
    strips.append(strip("Brain mask", "", names, whole, out.get("brain mask", set()), "ml"))
    return [item for item in strips if item is not None and len(item.dots) >= SPREAD_FROM]


def _label_of_measure(item: Deviation) -> str:
    """Say how a scan stands out."""
    side = "high" if item.z > 0 else "low"
    as_percent = item.measure.startswith("share of ")
    value, median = (
        (f"{100 * item.value:.0f} %", f"{100 * item.median:.0f} %")
        if as_percent
        else (number(item.value), number(item.median))
    )
    name = item.measure.replace("_", " ")
    return minus(f"{name} {side}: {value} (group {median}, z {item.z:+.1f})")
