"""One scan in which an encoder is watched: the choices, and what they are recorded as."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.encoders.folder import WEIGHTS, EncoderFolder
from medunsup.cohort.finetuned.folder import FinetunedFolder
from medunsup.cohort.identity import Identity
from medunsup.cohort.request import ScanRequest
from medunsup.core.hints import words
from medunsup.core.version import __version__
from medunsup.io.bids.names import OutputNames


@dataclass(frozen=True)
class AttentionRequest:
    """One scan in which an encoder is watched, and if given a fine-tuned network `beside` it."""

    scan: ScanRequest
    encoder: EncoderFolder
    beside: FinetunedFolder | None = None
    cache: Path | None = None

    @property
    def names(self) -> OutputNames:
        """Where the results go."""
        return self.scan.names

    @property
    def spacing_mm(self) -> float:
        """Spacing of the grid that the encoder knows; it has been checked that there is one."""
        spacing_mm = self.encoder.manifest.preprocessing.spacing_mm
        assert spacing_mm is not None
        return spacing_mm

    def identity(self) -> Identity:
        """Gather what decides whether a result is the one asked for: version, weights, choices, inputs."""
        beside = None if self.beside is None else self.beside.weights_sha256
        return {
            "Version": __version__,
            "Model": self.encoder.manifest.sha256.get(WEIGHTS),
            "Choices": {"beside": beside, **self.scan.reading.model_dump()},
            "Inputs": [item.as_sidecar() for item in self.scan.inputs()],
        }

    def command(self) -> str:
        """Return the command line that makes this result, with file names without their folders."""
        line = ["medunsup", "attention", self.encoder.path.name, self.scan.path.name]
        line += words("beside", self.beside.path.name) if self.beside else []
        line += words("mask", self.scan.mask.name) if self.scan.mask else []
        before = self.encoder.manifest.preprocessing.reading
        usual = before.model_dump() if before else {}
        for name, value in self.scan.reading.model_dump().items():
            line += words(name, value) if value != usual.get(name) else []
        line += words("out", "out") if self.scan.out else []
        return shlex.join(line)
