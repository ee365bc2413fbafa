"""What became of one scan, in plain values: for the terminal, for --json, for the cohort's table."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.batch import Outcome
from medunsup.cohort.request import Request
from medunsup.io.bids.names import Kind, OutputNames, sidecar_path
from medunsup.tissue.result import Quality


@dataclass(frozen=True)
class ScanOutcome(Outcome):
    """What `segment` says of one scan: volumes, and a verdict with its `reasons`."""

    volumes_ml: dict[str, float] = field(default_factory=dict)
    brain_mask_ml: float | None = None
    verdict: str | None = None
    reasons: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return super().as_json() | {
            "volumes_ml": self.volumes_ml,
            "brain_mask_ml": self.brain_mask_ml,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
        }


def read_outcome(request: Request, status: Literal["done", "skipped"]) -> ScanOutcome:
    """Read what is there of a scan that is done."""
    names = request.names
    made = json.loads(sidecar_path(names.path("dseg")).read_text(encoding="utf-8"))
    quality = Quality.from_sidecar(made["Quality"])
    warnings = [warning for step in made["Steps"] for warning in step.get("warnings", ())]
    return ScanOutcome(
        scan=request.scan,
        status=status,
        volumes_ml={name: tissue["FromFractionsMM3"] / 1000 for name, tissue in made["Volumes"].items()},
        brain_mask_ml=made["BrainMaskMM3"] / 1000,
        verdict=quality.verdict,
        reasons=quality.reasons,
        warnings=tuple(warnings),
        outputs=_outputs(names, list(made["Volumes"])),
    )


def _outputs(names: OutputNames, labels: list[str]) -> dict[str, Path]:
    kinds: tuple[Kind, ...] = ("report", "dseg", "mask", "corrected", "uncertainty", "volumes")
    files = {str(kind): names.path(kind) for kind in kinds}
    files |= {f"probseg_{label}": names.path("probseg", label) for label in labels}
    files["sidecar"] = sidecar_path(names.path("dseg"))
    return {kind: path for kind, path in files.items() if path.exists()}
