"""The sidecar of predicted labels, `_desc-predicted_dseg.json`: how they came to be, what they are worth."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, PlainSerializer

from medunsup.anomaly.result import Flag
from medunsup.cohort.sidecar import Facts, ResultSidecar, StepEntry, warnings_of
from medunsup.core.provenance import package_versions
from medunsup.supervised.prediction import NetworkFacts

if TYPE_CHECKING:
    from medunsup.supervised.prediction import Prediction

BY_FIELD = PlainSerializer(asdict)  # their keys are the names of the fields


class VolumeEntry(Facts):
    """Volume of one label."""

    index: int
    name: str
    volume_ml: float
    expected_ml: float


class PredictSidecar(ResultSidecar):
    """All that is kept of one prediction beside its maps."""

    command: str = ""
    network: Annotated[NetworkFacts, BY_FIELD]
    contrast: str = ""
    volumes: tuple[VolumeEntry, ...]
    flags: tuple[Annotated[Flag, BY_FIELD], ...]
    remarks: tuple[str, ...] = ()
    preparation: dict[str, Any] = Field(default_factory=dict)
    steps: tuple[StepEntry, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of_result(cls, result: "Prediction", command: str, identity: dict[str, Any]) -> Self:
        """Write down a result."""
        facts = {
            "command": command,
            "network": asdict(result.network),
            "contrast": result.contrast,
            "volumes": [
                {
                    "index": one.label.index,
                    "name": one.label.name,
                    "volume_ml": round(one.volume_ml, 4),
                    "expected_ml": round(one.expected_ml, 4),
                }
                for one in result.volumes
            ],
            "flags": [asdict(one) for one in result.flags],
            "remarks": result.remarks,
            "preparation": dict(result.details),
            "steps": result.record.as_sidecar(),
            "versions": package_versions(),
        }
        return cls.of(facts, identity)

    @property
    def remarks_and_warnings(self) -> tuple[str, ...]:
        """What a reader of the result should know, each sentence once."""
        return tuple(dict.fromkeys([*self.remarks, *warnings_of(self.steps)]))
