"""What became of one scan that `predict` was given, in plain values: for the terminal and for --json."""

from dataclasses import dataclass, field
from typing import Any, Literal

from medunsup.cohort.batch import Outcome
from medunsup.io.bids.names import sidecar_path
from medunsup.workflows.predict.outputs import DSEG, PROBSEG, RESULT
from medunsup.workflows.predict.request import PredictRequest
from medunsup.workflows.predict.save import label_names
from medunsup.workflows.predict.sidecar import PredictSidecar


@dataclass(frozen=True)
class PredictOutcome(Outcome):
    """What became of one scan that `predict` was given.

    Attributes
    ----------
    scan : Path
        The scan's path.
    status : {'done', 'skipped', 'error', 'not run'}
        'error' is a scan without a result.
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
        Volume of each label in ml, by its name.
    flags : tuple of str
        Sentences on what makes the scan unlike those of the fine-tuning.
    """

    volumes_ml: dict[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return super().as_json() | {"volumes_ml": self.volumes_ml, "flags": list(self.flags)}


def read_outcome(request: PredictRequest, state: Literal["done", "skipped"]) -> PredictOutcome:
    """Read what is there of a scan that is done."""
    names = request.names
    path = sidecar_path(names.path(DSEG))
    made = PredictSidecar.read(path)
    files = names.paths(RESULT, {PROBSEG.key: label_names(request.network.labels)[PROBSEG.key]})
    return PredictOutcome(
        scan=request.scan.path,
        status=state,
        volumes_ml={one.name: one.volume_ml for one in made.volumes},
        flags=tuple(flag.sentence for flag in made.flags),
        warnings=made.remarks_and_warnings,
        outputs={kind: file for kind, file in files.items() if file.exists()} | {"sidecar": path},
    )
