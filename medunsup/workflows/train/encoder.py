"""A pretrained encoder whose features a model of healthy scans learns: does it fit, what has it seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.dataset.sources import PRETRAINING, Case
from medunsup.cohort.encoders.folder import WEIGHTS, EncoderFolder, Seen, read_encoder
from medunsup.cohort.encoders.overlap import NO_DATA_SET, Known, overlap
from medunsup.cohort.labelled.alike import MOST_RATIO, sizes_differ
from medunsup.cohort.training.consistency import Common
from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.registry import method, methods
from medunsup.io.bids.names import data_set_id
from medunsup.workflows.train.settings import PARAMETER, TrainSettings

if TYPE_CHECKING:
    from medunsup.nn.encoder import Encoder


@dataclass(frozen=True, eq=False)
class GivenEncoder:
    """An encoder folder whose encoder makes a model's features; the model keeps a copy of its weights."""

    folder: EncoderFolder

    @property
    def network(self) -> "Encoder":
        """The encoder with its weights."""
        return self.folder.network

    @property
    def seen(self) -> Sequence[Seen]:
        """The scans it was pretrained on; those of images tell nothing of scans."""
        return self.folder.seen if self.folder.manifest.preprocessing.kind == "scans" else ()

    def settled(self, settings: TrainSettings) -> TrainSettings:
        """Say in a model's settings which encoder it holds; its spacing and dims unless others are asked for.

        Raises UsageError if the model takes no encoder, or if these do not fit.
        """
        about = self.folder.manifest
        network = about.network
        _refuse_model(settings)
        if network.channels != 1:
            raise UsageError(
                f"{self.folder.path}: takes images of {network.channels} channels, a scan has 1. Pretrain on "
                "scans, or on images of 1 channel."
            )
        parameters = {"dims": network.dims, **settings.parameters}
        if parameters["dims"] != network.dims:
            raise UsageError(
                f"{self.folder.path}: was pretrained in {network.dims}D, the model is to be in "
                f"{parameters['dims']}D. Leave dims out, or pretrain in {parameters['dims']}D."
            )
        parameters[PARAMETER] = network.model_dump(include={"name", "parameters", "dims", "channels"})
        parameters[PARAMETER]["sha256"] = about.sha256[WEIGHTS]
        changed: dict[str, Any] = {"parameters": parameters, "spacing_mm": self._spacing_mm(settings)}
        return settings.model_copy(update=changed)

    def refuse_other(self, common: Common) -> None:
        """Raise InputError unless scans have the contrast of pretraining."""
        theirs = self.folder.manifest.preprocessing.contrast
        if theirs not in (None, common.contrast):
            raise InputError(
                f"{self.folder.path}: was pretrained on {theirs} scans, these are {common.contrast}. "
                "Pretrain on scans like these, or train on such as it knows."
            )

    def about(self, calibration: Sequence[Case], hashes: Sequence[str]) -> dict[str, Any]:
        """Say for model.json which encoder it was, and how many of the calibration scans it has seen."""
        manifest = self.folder.manifest
        tested = [_line(case, sha256) for case, sha256 in zip(calibration, hashes, strict=True)]
        known = list(overlap(Known(tested, None), Known(self.seen, None)))
        return {
            "Folder": self.folder.path.name,
            "Method": manifest.method,
            "Kind": manifest.preprocessing.kind,
            "SHA256": manifest.sha256[WEIGHTS],
            "CalibrationScans": len(tested),
            "CalibrationScansSeen": len(known),
            "Verdict": manifest.verdict,
        }

    def rows(self, own: Sequence[str]) -> list[tuple[str, ...]]:
        """List its scans as lines of a model's scans.tsv, but for those files that are the model's `own`."""
        return [
            (one.subject, PRETRAINING, one.scan, one.sha256, "n/a", one.prepared_sha256, one.data_set)
            for one in self.seen
            if one.sha256 not in own
        ]

    def _spacing_mm(self, settings: TrainSettings) -> float:
        theirs, asked = self.folder.manifest.preprocessing.spacing_mm, settings.spacing_mm
        if theirs is None or "spacing_mm" not in settings.model_fields_set:
            return theirs or asked
        if sizes_differ(asked, theirs):
            raise UsageError(
                f"{self.folder.path}: was pretrained on voxels of {theirs:g} mm; {asked:g} mm is more than "
                f"{MOST_RATIO:g} times as coarse or fine. Train at {theirs:g} mm, or pretrain at "
                f"{asked:g} mm."
            )
        return asked


def given_encoder(path: Path | None) -> GivenEncoder | None:
    """Open the encoder folder that is asked for, if one is. Raises MissingError or InputError."""
    return None if path is None else GivenEncoder(read_encoder(path))


def encoder_remarks(about: dict[str, Any] | None) -> list[str]:
    """Say what is to be known of a model's encoder, from what its model.json says."""
    if not about:
        return []
    n, of = about["CalibrationScansSeen"], about["CalibrationScans"]
    found = []
    if n:
        found.append(
            f"The encoder {about['Folder']} was pretrained on {n} of the {of} calibration scans: they may "
            "look more ordinary to the model than scans that are new to it, so p-values may be too low, and "
            "false positives more than asked for. Keep these subjects out of the pretraining."
        )
    if about["Kind"] == "images":
        found.append(
            f"The encoder {about['Folder']} was pretrained on images of no known voxel size, not on scans."
        )
    if about["Verdict"]:
        found.append(f"The pretraining of {about['Folder']} ended in a collapse: {about['Verdict']}")
    return found


def _refuse_model(settings: TrainSettings) -> None:
    """Raise UsageError if a model takes no encoder, or is given one twice."""
    if not _takes_encoder(settings.model):
        takers = ", ".join(card.name for card in methods("anomaly") if _takes_encoder(card.name))
        raise UsageError(
            f"The model {settings.model} takes no encoder. Leave {option('encoder')} out, or choose {takers}."
        )
    if PARAMETER in settings.parameters:
        raise UsageError(
            f"An encoder is given by {option('encoder')} and as a parameter. Leave one of the two out."
        )


def _takes_encoder(model: str) -> bool:
    kind: Any = method("anomaly", model)
    return PARAMETER in kind.Config.model_fields


def _line(case: Case, sha256: str) -> Seen:
    return Seen(case.subject, case.split, case.scan.name, sha256, "", data_set_id(case.scan) or NO_DATA_SET)
