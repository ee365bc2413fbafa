"""One scan to look at with one model: the choices, what they are recorded as, whether the result is there."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medunsup.cohort.identity import Identity, Status, status_of
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.core.hints import words
from medunsup.core.version import __version__
from medunsup.io.bids.names import OutputNames
from medunsup.workflows.detect.outputs import MASK
from medunsup.workflows.detect.sidecar import DetectSidecar
from medunsup.workflows.train.model_folder import ModelFolder


@dataclass(frozen=True)
class DetectRequest:
    """One scan to look at with one model. `alpha` None asks for 0.05 if the calibration can support it.

    `note` is what the page begins with and the sidecar keeps; it changes nothing that is found.
    """

    scan: ScanRequest
    model: ModelFolder
    alpha: float | None = None
    fp_per_scan: float = 1.0
    baselines: bool = False
    cache: Path | None = None
    note: str = ""

    @property
    def names(self) -> OutputNames:
        """Where the results go."""
        return self.scan.names

    def identity(self) -> Identity:
        """Gather what decides whether a result is the one asked for: version, model, choices, inputs."""
        return {
            "Version": __version__,
            "Model": self.model.weights_sha256,
            "Choices": {
                "alpha": self.alpha,
                "fp_per_scan": self.fp_per_scan,
                "baselines": self.baselines,
                **self.scan.reading.model_dump(),
            },
            "Inputs": [item.as_sidecar() for item in self.scan.inputs()],
        }

    def missing(self) -> str:
        """Say which input is not there; nothing if all are there."""
        return self.scan.missing()

    def status(self) -> tuple[Status, str]:
        """Whether the result is not there, there, or there but made otherwise; and what differs."""
        return status_of(self.names.path(MASK), DetectSidecar, self.identity)

    def command(self) -> str:
        """Return the command line that makes this result, with file names without their folders."""
        line = ["medunsup", "detect", self.scan.path.name, *words("model", self.model.path.name)]
        line += words("mask", self.scan.mask.name) if self.scan.mask else []
        usual = ReadSettings.parse(_reading_of(self.model)).model_dump()
        for name, value in self.scan.reading.model_dump().items():
            line += words(name, value) if value != usual[name] else []
        line += words("alpha", f"{self.alpha:g}") if self.alpha is not None else []
        line += words("fp_per_scan", f"{self.fp_per_scan:g}") if self.fp_per_scan != 1 else []
        line += words("baselines", True) if self.baselines else []
        line += words("out", "out") if self.scan.out else []
        return shlex.join(line)


def make_request(
    scan: Path,
    model: ModelFolder,
    *,
    out: Path | None = None,
    mask: Path | None = None,
    alpha: float | None = None,
    fp_per_scan: float = 1.0,
    baselines: bool = False,
    cache: Path | None = None,
    note: str = "",
    **reading: Any,
) -> DetectRequest:
    """Join choices with those the model was trained with; `reading` (volume, series, ...) wins over them."""
    chosen = _reading_of(model) | {key: value for key, value in reading.items() if value is not None}
    asked = ScanRequest(scan, ReadSettings.parse(chosen, where="detect"), mask, out=out)
    return DetectRequest(asked, model, alpha, fp_per_scan, baselines, cache, note)


def check_rates(request: DetectRequest) -> None:
    """Raise UsageError if the model's calibration cannot support the rate or the number of FP/scan."""
    calibration = request.model.healthy.calibration
    if request.alpha is not None:
        calibration.scan_threshold(request.alpha)
    calibration.component_threshold(request.fp_per_scan)


def _reading_of(model: ModelFolder) -> dict[str, Any]:
    """Return how scans are read unless the user says otherwise: as those the model was trained with."""
    return {"brain": model.settings.brain, "coordinates": model.settings.coordinates}
