"""The sidecar of a segmentation, `_dseg.json`: how the result came to be, and how good it is."""

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from medunsup.cohort.sidecar import Facts, ResultSidecar, StepEntry
from medunsup.core.provenance import package_versions
from medunsup.tissue.result import Quality, Verdict

if TYPE_CHECKING:
    from medunsup.workflows.segment.result import SegmentResult


class VolumeEntry(Facts):
    """Volume of one tissue."""

    from_fractions_mm3: float = Field(alias="FromFractionsMM3")
    from_labels_mm3: float | None = Field(None, alias="FromLabelsMM3")
    fraction_of_brain_mask: float | None = None


class QualityEntry(Facts):
    """The verdict, why, and what was measured; null is a measure that could not be taken."""

    verdict: Verdict
    reasons: tuple[str, ...]
    measures: dict[str, float | None] = Field(default_factory=dict)


class SegmentSidecar(ResultSidecar):
    """All that is kept of one segmentation beside its maps."""

    command: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    volumes: dict[str, VolumeEntry]
    brain_mask_mm3: float = Field(alias="BrainMaskMM3")
    quality_entry: QualityEntry = Field(alias="Quality")
    steps: tuple[StepEntry, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of_result(cls, result: "SegmentResult") -> Self:
        """Write down a result."""
        facts = {
            "command": result.command,
            "parameters": result.parameters,
            "volumes": {
                item.label.abbreviation: {
                    "from_fractions_mm3": round(item.from_fractions_mm3, 1),
                    "from_labels_mm3": round(item.from_labels_mm3, 1),
                    "fraction_of_brain_mask": round(item.fraction_of_brain_mask, 5),
                }
                for item in result.tissues
            },
            "brain_mask_mm3": round(result.brain_mask_ml * 1000, 1),
            "quality_entry": {
                "verdict": result.quality.verdict,
                "reasons": result.quality.reasons,
                "measures": result.quality.measures,
            },
            "steps": result.record.as_sidecar(),
            "versions": package_versions(),
        }
        return cls.of(facts, result.identity)

    @property
    def quality(self) -> Quality:
        """The verdict in today's words."""
        return Quality.from_sidecar(self.quality_entry.model_dump(by_alias=True))

    @property
    def volumes_mm3(self) -> dict[str, float]:
        """Volume of each tissue from partial volume fractions, by its abbreviation."""
        return {name: volume.from_fractions_mm3 for name, volume in self.volumes.items()}
