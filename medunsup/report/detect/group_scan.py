"""What the page of all scans shows of each one that `detect` looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from medunsup.anomaly.result import Finding, Flag
from medunsup.report.detect.words import seen_words

Judged = Literal["unusual", "not unusual", "no verdict", "OOD", "in the training set"]
WITHHELD: tuple[Judged, ...] = ("OOD", "in the training set")  # their numbers mean nothing


@dataclass(frozen=True)
class GroupModel:
    """Which model looked at a scan; `sha256` is that of its weights."""

    sha256: str
    folder: str
    words: str


@dataclass(frozen=True)
class AnomalyScan:
    """One scan of the group: `name` begins its results' names, `file` is the scan's own.

    `n_healthy` is how many healthy scans it was ranked among; None in results that do not say. `page` is the
    address of its report from the group page, `thumbnail` the data address of a picture; either may be empty.
    `fp_per_scan` is how many findings a healthy scan shows on average; `seen` the split of the model's own
    scans that it was in, or empty; `seen_subject` the name of its subject, where the model has seen another
    scan of that name. `remarks` are what a reader of its result should know, warnings among them.
    """

    name: str
    file: str
    model: GroupModel
    p_value: float
    n_healthy: int | None
    alpha: float | None
    is_anomalous: bool | None
    findings: tuple[Finding, ...]
    fp_per_scan: float
    flags: tuple[Flag, ...]
    remarks: tuple[str, ...]
    seen: str
    seen_subject: str
    page: str
    thumbnail: str

    @property
    def judged(self) -> Judged:
        """What the result says of the scan as a whole."""
        return judged_as(is_flagged=bool(self.flags), seen=self.seen, is_anomalous=self.is_anomalous)

    @property
    def is_judged(self) -> bool:
        """Whether its p-value and findings mean something."""
        return self.judged not in WITHHELD

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is out of distribution, one sentence each."""
        words = seen_words(self.seen, self.seen_subject)
        own = (f"{words[0].upper()}{words[1:]}.",) if self.seen else ()
        return (*(flag.sentence for flag in self.flags), *own)

    @property
    def findings_ml(self) -> float:
        """Volume of all findings."""
        return sum(one.volume_mm3 for one in self.findings) / 1000

    @property
    def largest_ml(self) -> float:
        """Volume of the largest finding, 0 if there is none."""
        return max((one.volume_mm3 for one in self.findings), default=0.0) / 1000

    @property
    def rank(self) -> tuple[float, float, str]:
        """The smallest p-value first, among equal ones the largest volume of findings."""
        return self.p_value, -self.findings_ml, self.name


def judged_as(*, is_flagged: bool, seen: str, is_anomalous: bool | None) -> Judged:
    """Name the verdict on a scan as a whole, with the word used everywhere; one that is flagged has none."""
    if is_flagged:
        return "OOD"
    if seen:
        return "in the training set"
    if is_anomalous is None:
        return "no verdict"
    return "unusual" if is_anomalous else "not unusual"


def shared_remarks(scans: Sequence[AnomalyScan]) -> tuple[str, ...]:
    """Remarks on every one of several scans; on a scan alone, all are its own."""
    if len(scans) < 2:
        return ()
    return tuple(text for text in scans[0].remarks if all(text in scan.remarks for scan in scans))


def models_of(scans: Sequence[AnomalyScan]) -> list[GroupModel]:
    """Return the models that looked at the scans, by name."""
    return sorted({scan.model for scan in scans}, key=lambda model: (model.folder, model.sha256))
