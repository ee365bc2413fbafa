"""The sidecar of what `attention` found, `_desc-attention_statmap.json`."""

from typing import Any, Self

from pydantic import Field

from medunsup.cohort.encoders.attended import AttentionResult
from medunsup.cohort.sidecar import ResultSidecar, StepEntry
from medunsup.core.provenance import package_versions


class AttentionSidecar(ResultSidecar):
    """All that is kept of one scan in which an encoder was watched, beside its maps.

    `scales` are the values that became 1 in each map, `beside_scales` those of the fine-tuned network's.
    """

    command: str = ""
    kind: str
    contrast: str = ""
    encoder: dict[str, Any]
    scales: dict[str, float]
    beside_scales: dict[str, float] = Field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    preparation: dict[str, Any] = Field(default_factory=dict)
    steps: tuple[StepEntry, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of_result(cls, result: AttentionResult, command: str, identity: dict[str, Any]) -> Self:
        """Write down a result."""
        facts = {
            "command": command,
            "kind": result.kind,
            "contrast": result.contrast,
            "encoder": dict(result.about),
            "scales": dict(result.scales),
            "beside_scales": dict(result.beside_scales),
            "remarks": result.remarks,
            "preparation": dict(result.details),
            "steps": result.record.as_sidecar(),
            "versions": package_versions(),
        }
        return cls.of(facts, identity)
