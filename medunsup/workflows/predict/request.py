"""One scan to give to a fine-tuned network: the choices, what they are recorded as, what is there."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medunsup.cohort.finetuned.folder import FinetunedFolder, read_finetuned
from medunsup.cohort.identity import Identity, Status, status_of
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.core.errors import UsageError
from medunsup.core.hints import words
from medunsup.core.version import __version__
from medunsup.io.bids.names import OutputNames
from medunsup.workflows.predict.outputs import DSEG
from medunsup.workflows.predict.sidecar import PredictSidecar

TASK = "segment"


@dataclass(frozen=True)
class PredictRequest:
    """One scan to give to a fine-tuned network.

    `probabilities` asks for a map of each label's probability, `prepared` for the scan as the network saw it.
    """

    scan: ScanRequest
    network: FinetunedFolder
    probabilities: bool = False
    prepared: bool = False
    cache: Path | None = None

    @property
    def names(self) -> OutputNames:
        """Where the results go."""
        return self.scan.names

    def identity(self) -> Identity:
        """Gather what decides whether a result is the one asked for: version, network, choices, inputs."""
        return {
            "Version": __version__,
            "Model": self.network.weights_sha256,
            "Choices": {
                "probabilities": self.probabilities,
                "prepared": self.prepared,
                **self.scan.reading.model_dump(),
            },
            "Inputs": [item.as_sidecar() for item in self.scan.inputs()],
        }

    def missing(self) -> str:
        """Say which input is not there; nothing if all are there."""
        return self.scan.missing()

    def status(self) -> tuple[Status, str]:
        """Whether the result is not there, there, or there but made otherwise; and what differs."""
        return status_of(self.names.path(DSEG), PredictSidecar, self.identity)

    def command(self) -> str:
        """Return the command line that makes this result, with file names without their folders."""
        line = ["medunsup", "predict", self.network.path.name, self.scan.path.name]
        line += words("mask", self.scan.mask.name) if self.scan.mask else []
        usual = ReadSettings.parse(_reading_of(self.network)).model_dump()
        for name, value in self.scan.reading.model_dump().items():
            line += words(name, value) if value != usual[name] else []
        line += words("probabilities", True) if self.probabilities else []
        line += words("prepared", True) if self.prepared else []
        line += words("out", "out") if self.scan.out else []
        return shlex.join(line)


def open_network(network: str | Path | FinetunedFolder) -> FinetunedFolder:
    """Read the fine-tuned network that is meant.

    Raises MissingError or InputError if it cannot be used, UsageError if it was fine-tuned for another task.
    """
    found = network if isinstance(network, FinetunedFolder) else read_finetuned(network)
    if found.manifest.task != TASK:
        raise UsageError(
            f"{found.path}: was fine-tuned for the task {found.manifest.task}; labels are predicted by one "
            f"that was fine-tuned for {TASK}."
        )
    return found


def make_request(
    scan: Path,
    network: FinetunedFolder,
    *,
    out: Path | None = None,
    mask: Path | None = None,
    probabilities: bool = False,
    prepared: bool = False,
    cache: Path | None = None,
    **reading: Any,
) -> PredictRequest:
    """Join choices with those of the fine-tuning; `reading` (volume, series, ...) wins over them."""
    chosen = _reading_of(network) | {key: value for key, value in reading.items() if value is not None}
    asked = ScanRequest(scan, ReadSettings.parse(chosen, where="predict"), mask, out=out)
    return PredictRequest(asked, network, probabilities, prepared, cache)


def _reading_of(network: FinetunedFolder) -> dict[str, Any]:
    """Return how scans are read unless the user says otherwise: as those of the fine-tuning."""
    settings = network.manifest.settings
    return {key: settings[key] for key in ("brain", "coordinates") if key in settings}
