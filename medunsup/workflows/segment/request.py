"""One scan to segment: the choices, what they are recorded as, whether the result is there."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.identity import Identity, InputFile, Status, status_of
from medunsup.cohort.request import ScanRequest
from medunsup.core.hints import words
from medunsup.core.version import __version__
from medunsup.io.bids.names import OutputNames
from medunsup.io.files.hashes import hash_input
from medunsup.workflows.segment.outputs import DSEG
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.segment.sidecar import SegmentSidecar


@dataclass(frozen=True)
class SegmentRequest:
    """One scan to segment with these settings. `prior` is a file of what other scans' results taught."""

    scan: ScanRequest
    settings: SegmentSettings
    prior: Path | None = None

    def __post_init__(self) -> None:
        if self.scan.reading != self.settings.reading:
            raise ValueError("The scan would be read otherwise than the settings say.")

    @property
    def names(self) -> OutputNames:
        """Where the results go."""
        return self.scan.names

    def inputs(self) -> tuple[InputFile, ...]:
        """Hash every input. Raises InputError if one is missing."""
        found = self.scan.inputs()
        return found if self.prior is None else (*found, _prior_file(self.prior))

    def identity(self) -> Identity:
        """Gather what decides whether a result is the one asked for: version, choices, inputs."""
        return {
            "Version": __version__,
            "Choices": self.settings.as_record(),
            "Inputs": [item.as_sidecar() for item in self.inputs()],
        }

    def missing(self) -> str:
        """Say which input is not there; nothing if all are there."""
        return self.scan.missing()

    def status(self) -> tuple[Status, str]:
        """Whether the result is not there, there, or there but made otherwise; and what differs."""
        to_be_learned = self.settings.learn_prior and self.prior is None  # it may be the same
        without = "prior" if to_be_learned else ""
        return status_of(self.names.path(DSEG), SegmentSidecar, self.identity, without=without)

    def command(self) -> str:
        """Return the command line that makes this result, with file names without their folders."""
        scan = self.scan
        line = ["medunsup", "segment", scan.path.name]
        line += words("mask", scan.mask.name) if scan.mask else []
        line += words("with_contrasts", {name: path.name for name, path in scan.contrasts.items()})
        line += self.settings.as_options()
        line += words("out", "out") if scan.out else []
        return shlex.join(line)


def make_request(
    path: Path,
    settings: SegmentSettings | None = None,
    *,
    mask: Path | None = None,
    contrasts: Mapping[str, Path] | None = None,
    out: Path | None = None,
) -> SegmentRequest:
    """Ask for one scan to be segmented; it is read as the settings say."""
    chosen = SegmentSettings() if settings is None else settings
    scan = ScanRequest(path, chosen.reading, mask, {} if contrasts is None else contrasts, out)
    return SegmentRequest(scan, chosen)


def _prior_file(path: Path) -> InputFile:
    return InputFile("prior", path.name, hash_input(path))
