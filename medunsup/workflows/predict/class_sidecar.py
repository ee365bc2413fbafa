"""The sidecars of predicted classes: how they came to be, what they are worth."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, PlainSerializer

from medunsup.anomaly.result import Flag
from medunsup.cohort.sidecar import ResultSidecar, StepEntry, warnings_of
from medunsup.core.provenance import package_versions
from medunsup.supervised.prediction import NetworkFacts

if TYPE_CHECKING:
    from medunsup.supervised.class_prediction import ClassPrediction, ImagePredictions

BY_FIELD = PlainSerializer(asdict)  # their keys are the names of the fields


class _Sidecar(ResultSidecar):
    """What both have."""

    command: str = ""
    network: Annotated[NetworkFacts, BY_FIELD]
    remarks: tuple[str, ...] = ()
    steps: tuple[StepEntry, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def remarks_and_warnings(self) -> tuple[str, ...]:
        """What a reader of the result should know, each sentence once."""
        return tuple(dict.fromkeys([*self.remarks, *warnings_of(self.steps)]))


class ClassSidecar(_Sidecar):
    """All that is kept of a scan's predicted class."""

    contrast: str = ""
    predicted: str
    probabilities: dict[str, float]
    flags: tuple[Annotated[Flag, BY_FIELD], ...]
    preparation: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of_result(cls, result: "ClassPrediction", command: str, identity: dict[str, Any]) -> Self:
        """Write down a result."""
        facts = {
            **_shared(result, command),
            "contrast": result.contrast,
            "predicted": result.predicted,
            "probabilities": {name: round(one, 6) for name, one in result.probabilities.items()},
            "flags": [asdict(one) for one in result.flags],
            "preparation": dict(result.details),
        }
        return cls.of(facts, identity)


class ImagesSidecar(_Sidecar):
    """All that is kept of the images in one file, beside their table; `flagged` are unlike the training's."""

    counts: dict[str, int]
    flagged: int

    @classmethod
    def of_result(cls, result: "ImagePredictions", command: str, identity: dict[str, Any]) -> Self:
        """Write down a result."""
        flagged = sum(map(bool, result.flags))
        return cls.of({**_shared(result, command), "counts": result.counts, "flagged": flagged}, identity)


def _shared(result: "ClassPrediction | ImagePredictions", command: str) -> dict[str, Any]:
    return {
        "command": command,
        "network": asdict(result.network),
        "remarks": result.remarks,
        "steps": result.record.as_sidecar(),
        "versions": package_versions(),
    }
