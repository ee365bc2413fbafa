"""What became of one scan, in plain values: for the terminal, for --json, for the cohort's table."""

from dataclasses import dataclass, field
from typing import Any, Literal

from medunsup.cohort.batch import Outcome
from medunsup.cohort.sidecar import warnings_of
from medunsup.io.bids.names import sidecar_path
from medunsup.workflows.segment.outputs import DSEG, PROBSEG, RESULT
from medunsup.workflows.segment.request import SegmentRequest
from medunsup.workflows.segment.sidecar import SegmentSidecar


@dataclass(frozen=True)
class ScanOutcome(Outcome):
    """What became of one scan that was segmented.

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
    volumes_ml : dict of str to float
        Volume of each tissue in ml, by its abbreviation.
    brain_mask_ml : float or None
        Volume of the brain mask in ml.
    verdict : {'pass', 'partial', 'check', 'fail'} or None
        Verdict on its quality.
    reasons : tuple of str
        Reasons for it, worst first.
    """

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


def read_outcome(request: SegmentRequest, status: Literal["done", "skipped"]) -> ScanOutcome:
    """Read what is there of a scan that is done."""
    names = request.names
    path = sidecar_path(names.path(DSEG))
    made = SegmentSidecar.read(path)
    quality = made.quality
    files = names.paths(RESULT, {PROBSEG.key: list(made.volumes)})
    return ScanOutcome(
        scan=request.scan.path,
        status=status,
        volumes_ml={name: mm3 / 1000 for name, mm3 in made.volumes_mm3.items()},
        brain_mask_ml=made.brain_mask_mm3 / 1000,
        verdict=quality.verdict,
        reasons=quality.reasons,
        warnings=tuple(warnings_of(made.steps)),
        outputs={kind: file for kind, file in files.items() if file.exists()} | {"sidecar": path},
    )
