"""What became of one scan that `detect` looked at, in plain values: for the terminal and for --json."""

from dataclasses import dataclass
from typing import Any, Literal

from medunsup.cohort.batch import Outcome
from medunsup.io.bids.names import sidecar_path
from medunsup.report.detect.group_scan import WITHHELD, Judged, judged_as
from medunsup.workflows.detect.outputs import MASK, RESULT
from medunsup.workflows.detect.request import DetectRequest
from medunsup.workflows.detect.sidecar import DetectSidecar


@dataclass(frozen=True)
class DetectOutcome(Outcome):
    """What became of one scan that `detect` looked at.

    Attributes
    ----------
    scan : Path
        The scan's path.
    status : {'done', 'skipped', 'error', 'not run'}
        'error' is a scan without a result, whatever a verdict says of those that have one.
    warnings : tuple of str
        What a reader of the result should know.
    outputs : dict of str to Path
        Files that were written, by kind.
    error : str or None
        Why there is no result, in one line.
    trace : str or None
        Traceback of the error.
    is_fatal : bool
        Whether the other scans would fail too.
    is_wrong_use : bool
        Whether what was asked for cannot be had of this scan.
    seconds : float
        How long it took.
    p_value : float or None
        Conformal p-value of the scan; None also where the verdict is 'OOD' or 'in the training set',
        for it means nothing there.
    alpha : float or None
        False-positive rate that the verdict keeps.
    is_anomalous : bool or None
        The verdict, if there is one.
    verdict : str or None
        The verdict in a word, with why there is none; None without a result.
    volumes_mm3 : tuple of float or None
        Volume of each finding in mm³, the largest first; None where the p-value is.
    flags : tuple of str
        Sentences on what makes the scan out of distribution (OOD).
    seen : str
        Split of the model's own scans that this one, or its subject by name, was in; empty if it was in none.
    """

    p_value: float | None = None
    alpha: float | None = None
    is_anomalous: bool | None = None
    verdict: Judged | None = None
    volumes_mm3: tuple[float, ...] | None = None
    flags: tuple[str, ...] = ()
    seen: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return super().as_json() | {
            "p_value": self.p_value,
            "alpha": self.alpha,
            "is_anomalous": self.is_anomalous,
            "verdict": self.verdict,
            "volumes_mm3": None if self.volumes_mm3 is None else list(self.volumes_mm3),
            "flags": list(self.flags),
            "seen": self.seen,
        }


def read_outcome(request: DetectRequest, state: Literal["done", "skipped"]) -> DetectOutcome:
    """Read what is there of a scan that is done."""
    names = request.names
    path = sidecar_path(names.path(MASK))
    made = DetectSidecar.read(path)
    seen = made.seen_by_model or ""
    outputs = {kind: file for kind, file in names.paths(RESULT).items() if file.exists()}
    verdict = judged_as(is_flagged=bool(made.flags), seen=seen, is_anomalous=made.is_anomalous)
    is_judged = verdict not in WITHHELD
    return DetectOutcome(
        scan=request.scan.path,
        status=state,
        p_value=made.p_value if is_judged else None,
        alpha=made.alpha,
        is_anomalous=made.is_anomalous,
        verdict=verdict,
        volumes_mm3=tuple(one.volume_mm3 for one in made.findings) if is_judged else None,
        flags=tuple(flag.sentence for flag in made.flags),
        seen=seen,
        warnings=made.remarks_and_warnings,
        outputs={**outputs, "sidecar": path},
    )
