"""Read what `detect` left of each scan of a folder: its sidecar, and the thumbnail at the top of its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medunsup.anomaly.result import Finding, Flag
from medunsup.report.detect.words import seen_words
from medunsup.report.segment.group_results import address, read_sidecars, read_thumbnail, scan_file, subfolder

SIDECAR = "_desc-anomaly_mask.json"
PAGE = "_desc-anomaly_report.html"

Judged = Literal["unusual", "not unusual", "no verdict", "not judged", "seen by the model"]


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
    address of its report from the group page; it and the thumbnail may be empty. `false_parts` is how many
    findings a healthy scan shows on average; `seen` the part of the model's own scans that it was in, or
    empty; `seen_subject` the name of its subject, where the model has seen another scan of that name.
    """

    name: str
    file: str
    model: GroupModel
    p_value: float
    n_healthy: int | None
    alpha: float | None
    is_anomalous: bool | None
    findings: tuple[Finding, ...]
    false_parts: float
    flags: tuple[Flag, ...]
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
        """Whether its p-value means something."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not to be judged, one sentence each."""
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
        return "not judged"
    if seen:
        return "seen by the model"
    if is_anomalous is None:
        return "no verdict"
    return "unusual" if is_anomalous else "not unusual"


def read_scans(folder: Path) -> list[AnomalyScan]:
    """All scans in `folder` and below that `detect` left a whole result of, by name."""
    return read_sidecars(folder, SIDECAR, _scan)


def models_of(scans: Sequence[AnomalyScan]) -> list[GroupModel]:
    """Return the models that looked at the scans, by name."""
    return sorted({scan.model for scan in scans}, key=lambda model: (model.folder, model.sha256))


def _scan(facts: dict[str, Any], sidecar: Path, folder: Path) -> AnomalyScan:
    name, place = sidecar.name.removesuffix(SIDECAR), subfolder(sidecar, folder)
    page = sidecar.with_name(name + PAGE)
    return AnomalyScan(
        name=place + name,
        file=place + scan_file(facts),
        model=_model(facts["Model"]),
        p_value=float(facts["PValue"]),
        n_healthy=facts.get("HealthyScans"),
        alpha=facts["Alpha"],
        is_anomalous=facts["IsAnomalous"],
        findings=tuple(Finding(**one) for one in facts["Findings"]),
        false_parts=float(facts["FalseFindingsInAHealthyScan"]),
        flags=tuple(Flag(**one) for one in facts["Flags"]),
        seen=facts.get("SeenByModel") or "",
        seen_subject=facts.get("SeenSubject") or "",
        page=address(page, folder),
        thumbnail=read_thumbnail(page),
    )


def _model(facts: dict[str, Any]) -> GroupModel:
    words = (
        f"{facts['model']} with {facts['score']}, {facts['contrast']}, learned from {facts['n_train']} "
        f"healthy scans, calibrated on {facts['n_calibration']} others"
    )
    return GroupModel(facts["weights_sha256"], facts["folder"], words)
