"""One scan to give to a fine-tuned network: the choices, what they are recorded as, what is there."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.dataset.images import ENDING
from medunsup.cohort.finetuned.folder import FinetunedFolder, read_finetuned
from medunsup.cohort.identity import Identity, Status, status_of
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.cohort.sidecar import ResultSidecar
from medunsup.core.errors import UsageError
from medunsup.core.hints import option, words
from medunsup.core.version import __version__
from medunsup.io.bids.names import OutputNames
from medunsup.io.bids.outputs import Output
from medunsup.workflows.predict.class_outputs import CLASSES_RECORD, IMAGES_RECORD
from medunsup.workflows.predict.class_sidecar import ClassSidecar, ImagesSidecar
from medunsup.workflows.predict.outputs import DSEG
from medunsup.workflows.predict.sidecar import PredictSidecar

Kind = Literal["segment", "classify", "images"]

TASKS = ("segment", "classify")
RECORDS: dict[Kind, tuple[Output, type[ResultSidecar]]] = {
    "segment": (DSEG, PredictSidecar),
    "classify": (CLASSES_RECORD, ClassSidecar),
    "images": (IMAGES_RECORD, ImagesSidecar),
}


@dataclass(frozen=True)
class PredictRequest:
    """One scan to give to a fine-tuned network, or the images of one file.

    `probabilities` asks for a map of each label's probability, `prepared` for the scan as the network saw it.
    """

    scan: ScanRequest
    network: FinetunedFolder
    probabilities: bool = False
    prepared: bool = False
    cache: Path | None = None

    @property
    def kind(self) -> Kind:
        """What the network does."""
        return kind_of(self.network)

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
        record, sidecar = RECORDS[self.kind]
        return status_of(self.names.path(record), sidecar, self.identity)

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
    if found.manifest.task not in TASKS:
        raise UsageError(
            f"{found.path}: was fine-tuned for the task {found.manifest.task}; take a network that was "
            f"fine-tuned for one of {', '.join(TASKS)}."
        )
    return found


def kind_of(network: FinetunedFolder) -> Kind:
    """Return what a network does: label the voxels of scans, or tell the class of scans or of images."""
    about = network.manifest
    return "segment" if about.task == "segment" else "classify" if about.spacing_mm else "images"


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
    """Join choices with those of the fine-tuning; `reading` (volume, series, ...) wins over them.

    Raises UsageError for choices, or a kind of file, that do not go with the network.
    """
    given = {"mask": mask, "prepared": prepared or None, **reading}
    _refuse_others(scan, network, {name: one for name, one in given.items() if one not in (None, "auto")})
    if probabilities and kind_of(network) != "segment":
        raise UsageError(
            f"{option('probabilities', True)} goes with a network that segments; the probabilities of "
            "classes are always written. Leave it out."
        )
    chosen = _reading_of(network) | {key: value for key, value in reading.items() if value is not None}
    asked = ScanRequest(scan, ReadSettings.parse(chosen, where="predict"), mask, out=out)
    return PredictRequest(asked, network, probabilities, prepared, cache)


def _reading_of(network: FinetunedFolder) -> dict[str, Any]:
    """Return how scans are read unless the user says otherwise: as those of the fine-tuning."""
    settings = network.manifest.settings
    return {key: settings[key] for key in ("brain", "coordinates") if key in settings}


def _refuse_others(scan: Path, network: FinetunedFolder, of_scans: dict[str, Any]) -> None:
    """Raise UsageError for a scan where the network takes images, or images where it takes scans."""
    is_file, takes_images = scan.suffix == ENDING, kind_of(network) == "images"
    if takes_images and not is_file:
        raise UsageError(
            f"{scan}: {network.path.name} was fine-tuned on images. Give images in a {ENDING} file."
        )
    if is_file and not takes_images:
        task = network.manifest.task
        raise UsageError(
            f"{scan}: holds images; {network.path.name} was fine-tuned to {task} scans. Give scans: NIfTI, "
            "MGZ or DICOM."
        )
    if takes_images and of_scans:
        names = {
            "mask": option("mask"),
            "prepared": option("prepared", True),
            "contrast": option("contrast"),
            "brain": option("brain"),
            "volume": option("volume"),
            "series": option("series"),
            "coordinates": option("coordinates"),
        }
        name = next(iter(of_scans))
        raise UsageError(f"{names.get(name, name)} goes with scans, not with images. Leave it out.")
