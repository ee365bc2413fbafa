"""The sidecar of what `detect` found, `_desc-anomaly_mask.json`: how it came to be, and what it is worth."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AliasChoices, Field, PlainSerializer

from medunsup.anomaly.result import Finding, Flag, ModelFacts
from medunsup.cohort.sidecar import Facts, ResultSidecar, StepEntry, warnings_of
from medunsup.core.provenance import package_versions

if TYPE_CHECKING:
    from medunsup.anomaly.result import AnomalyResult


BY_FIELD = PlainSerializer(asdict)  # their keys are the names of the fields


class BaselineEntry(Facts):
    """What a baseline says of the scan as a whole."""

    words: str
    scan_score: float | None = None
    p_value: float


class DetectSidecar(ResultSidecar):
    """All that is kept of one scan that `detect` looked at, beside its maps.

    `healthy_scans` is how many healthy scans it was ranked among, None in results that do not say.
    `seen_by_model` is the split of the model's own scans that it was in.
    """

    command: str = ""
    model: Annotated[ModelFacts, BY_FIELD]
    contrast: str = ""
    scan_score: float | None = None
    p_value: float
    healthy_scans: int | None = None
    alpha: float | None
    is_anomalous: bool | None
    threshold: float | None = None
    fp_per_scan: float = Field(
        validation_alias=AliasChoices("FPPerScan", "fp_per_scan", "FalseFindingsInAHealthyScan"),
        serialization_alias="FPPerScan",
    )
    findings: tuple[Annotated[Finding, BY_FIELD], ...]
    flags: tuple[Annotated[Flag, BY_FIELD], ...]
    seen_by_model: str | None = None
    seen_subject: str | None = None
    remarks: tuple[str, ...] = ()
    note: str | None = None
    baselines: dict[str, BaselineEntry] = Field(default_factory=dict)
    preparation: dict[str, Any] = Field(default_factory=dict)
    steps: tuple[StepEntry, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of_result(cls, result: "AnomalyResult", command: str, identity: dict[str, Any]) -> Self:
        """Write down a result."""
        facts = {
            "command": command,
            "model": asdict(result.model),
            "contrast": result.contrast,
            "scan_score": result.scan.score,
            "p_value": result.scan.p_value,
            "healthy_scans": len(result.scan.healthy),
            "alpha": result.alpha,
            "is_anomalous": result.is_anomalous,
            "threshold": result.threshold,
            "fp_per_scan": result.fp_per_scan,
            "findings": [asdict(one) for one in result.findings],
            "flags": [asdict(one) for one in result.flags],
            "seen_by_model": result.seen or None,
            "seen_subject": result.seen_subject or None,
            "remarks": result.remarks,
            "note": result.note or None,
            "baselines": {
                one.name: {"words": one.words, "scan_score": one.scan.score, "p_value": one.scan.p_value}
                for one in result.baselines
            },
            "preparation": dict(result.details),
            "steps": result.record.as_sidecar(),
            "versions": package_versions(),
        }
        return cls.of(facts, identity)

    @property
    def remarks_and_warnings(self) -> tuple[str, ...]:
        """What a reader of the result should know, each sentence once."""
        return tuple(dict.fromkeys([*self.remarks, *warnings_of(self.steps)]))
