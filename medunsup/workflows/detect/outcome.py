"""What became of one scan that `detect` looked at, in plain values: for the terminal and for --json."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from medunsup.cohort.batch import Outcome
from medunsup.io.bids.names import sidecar_path
from medunsup.report.detect.group_results import Judged, judged_as
from medunsup.workflows.detect.request import DetectRequest
from medunsup.workflows.detect.save import KINDS


@dataclass(frozen=True)
class DetectOutcome(Outcome):
    """What `detect` says of one scan; `flags` say why it is unlike those the model knows.

    `p_value` and `verdict` are None without a result. `alpha` is the rate that the verdict keeps. `seen` is
    the part of the model's own scans that this one, or its subject by name, was in; empty if in none.
    """

    p_value: float | None = None
    alpha: float | None = None
    is_anomalous: bool | None = None
    verdict: Judged | None = None
    volumes_mm3: tuple[float, ...] = ()
    flags: tuple[str, ...] = ()
    seen: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return super().as_json() | {
            "p_value": self.p_value,
            "alpha": self.alpha,
            "is_anomalous": self.is_anomalous,
            "verdict": self.verdict,
            "volumes_mm3": list(self.volumes_mm3),
            "flags": list(self.flags),
            "seen": self.seen,
        }


def read_outcome(request: DetectRequest, state: Literal["done", "skipped"]) -> DetectOutcome:
    """Read what is there of a scan that is done."""
    names = request.names
    path = sidecar_path(names.path("anomaly_mask"))
    made = json.loads(path.read_text(encoding="utf-8"))
    warnings = [text for step in made["Steps"] for text in step.get("warnings", ())]
    outputs = {str(kind): names.path(kind) for kind in KINDS if names.path(kind).exists()}
    return DetectOutcome(
        scan=request.scan.scan,
        status=state,
        p_value=made["PValue"],
        alpha=made["Alpha"],
        is_anomalous=made["IsAnomalous"],
        verdict=judged_as(
            is_flagged=bool(made["Flags"]),
            seen=made.get("SeenByModel") or "",
            is_anomalous=made["IsAnomalous"],
        ),
        volumes_mm3=tuple(one["volume_mm3"] for one in made["Findings"]),
        flags=tuple(one["sentence"] for one in made["Flags"]),
        seen=made.get("SeenByModel") or "",
        warnings=tuple(dict.fromkeys([*made["Remarks"], *warnings])),
        outputs={**outputs, "sidecar": path},
    )
