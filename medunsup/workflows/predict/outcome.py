"""What became of one scan that `predict` was given, in plain values: for the terminal and for --json."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.batch import Outcome
from medunsup.io.bids.names import sidecar_path
from medunsup.io.bids.outputs import Derivative
from medunsup.workflows.predict.class_outputs import (
    CLASSES_DERIVATIVE,
    CLASSES_RECORD,
    IMAGES_DERIVATIVE,
    IMAGES_RECORD,
)
from medunsup.workflows.predict.class_sidecar import ClassSidecar, ImagesSidecar
from medunsup.workflows.predict.outputs import DSEG, PROBSEG, RESULT
from medunsup.workflows.predict.request import PredictRequest
from medunsup.workflows.predict.save import label_names
from medunsup.workflows.predict.sidecar import PredictSidecar

State = Literal["done", "skipped"]


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
    predicted : str
        The likeliest class, of a network that classifies scans.
    probabilities : dict of str to float
        Probability of each class, by name.
    counts : dict of str to int
        Of images how many each class was given to.
    """

    volumes_ml: dict[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    predicted: str = ""
    probabilities: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain values: of volumes, classes and counts those that the network tells."""
        own = {name: getattr(self, name) for name in ("predicted", "probabilities", "counts")}
        told = {name: one for name, one in own.items() if one}
        return super().as_json() | (told or {"volumes_ml": self.volumes_ml}) | {"flags": list(self.flags)}


def read_outcome(request: PredictRequest, state: State) -> PredictOutcome:
    """Read what is there of a scan that is segmented."""
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


def read_class(request: PredictRequest, state: State) -> PredictOutcome:
    """Read what is there of a scan that is classified."""
    made = ClassSidecar.read(request.names.path(CLASSES_RECORD))
    return PredictOutcome(
        scan=request.scan.path,
        status=state,
        predicted=made.predicted,
        probabilities=made.probabilities,
        flags=tuple(flag.sentence for flag in made.flags),
        warnings=made.remarks_and_warnings,
        outputs=_files(request, CLASSES_DERIVATIVE),
    )


def read_images(request: PredictRequest, state: State) -> PredictOutcome:
    """Read what is there of the images in one file."""
    made = ImagesSidecar.read(request.names.path(IMAGES_RECORD))
    n, of = made.flagged, sum(made.counts.values())
    unlike = f"{n} of {of} images {'is' if n == 1 else 'are'} unlike the training images: see the table."
    return PredictOutcome(
        scan=request.scan.path,
        status=state,
        counts=made.counts,
        flags=(unlike,) if n else (),
        warnings=made.remarks_and_warnings,
        outputs=_files(request, IMAGES_DERIVATIVE),
    )


def _files(request: PredictRequest, derivative: Derivative) -> dict[str, Path]:
    found = request.names.paths(derivative.outputs)
    return {kind: file for kind, file in found.items() if file.exists()}
