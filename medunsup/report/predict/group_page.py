"""The page of many scans that were given to a network: flagged ones first, volumes or classes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from medunsup.cohort.failed import FailedScan
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base.images import those_that_fit
from medunsup.report.base.render import render
from medunsup.report.base.text import DISCLAIMER, NOT_PROCESSED, VERDICTS, Shown

TONES: dict[str, Shown] = {"unchecked": "partial", "flagged": "check"}


@dataclass(frozen=True)
class PredictedScan:
    """One scan of the group: `name` begins its results' names, `file` is the scan's own.

    `flags` are sentences by their name. `page` is the address of its report from the group page, `thumbnail`
    the data address of a picture; either may be empty. `worth` says what the network came to on its own test
    subjects. Segmented scans have `volumes_ml`, classified ones the class `predicted` and `probabilities`.
    """

    name: str
    file: str
    network: str
    weights_sha256: str
    worth: str
    contrast: str
    flags: Mapping[str, str]
    remarks: tuple[str, ...]
    page: str
    thumbnail: str
    volumes_ml: Mapping[str, float] = field(default_factory=dict)
    predicted: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Literal["flagged", "unchecked"]:
        """Whether it is unlike the training scans; else nobody has checked it."""
        return "flagged" if self.flags else "unchecked"


def write_group_page(path: Path, scans: Sequence[PredictedScan], failed: Sequence[FailedScan] = ()) -> Path:
    """Write the page of all scans of its folder to `path`, and return that.

    Raises OutputError if the page cannot be written.
    """
    ordered = sorted(scans, key=lambda scan: (not scan.flags, scan.name))
    kept = those_that_fit([scan.thumbnail for scan in ordered])
    facts = {
        "scans": [replace(scan, thumbnail=one) for scan, one in zip(ordered, kept, strict=True)],
        "labels": list(dict.fromkeys(name for scan in ordered for name in scan.volumes_ml)),
        "classes": list(dict.fromkeys(name for scan in ordered for name in scan.probabilities)),
        "networks": sorted({(scan.network, scan.weights_sha256, scan.worth) for scan in scans}),
        "counts": Counter(scan.verdict for scan in scans),
        "tones": TONES,
        "signs": {verdict: VERDICTS[tone].sign for verdict, tone in TONES.items()},
        "failed": failed,
        "not_processed": NOT_PROCESSED,
        "folder": path.parent.resolve().name,
        "version": __version__,
        "disclaimer": DISCLAIMER,
    }
    return write_text(path, render("predict_group.html.j2", **facts))
