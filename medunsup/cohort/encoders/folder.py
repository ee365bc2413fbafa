"""A pretrained encoder on disk: weights, what they expect, and which scans they have seen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from medunsup.cohort.encoders.manifest import EncoderManifest, read_manifest
from medunsup.cohort.encoders.plan import plan_of
from medunsup.cohort.training.folder import is_unfinished
from medunsup.core.errors import InputError, MedunsupError, MissingError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.core.shown import Shown
from medunsup.io.files.artifact_folder import Arrays, ArtifactFolder, write_artifact
from medunsup.io.files.tsv import read_tsv

if TYPE_CHECKING:
    from medunsup.nn.adaptation_plan import AdaptationPlan
    from medunsup.nn.encoder import Encoder

MANIFEST = "encoder.json"
WEIGHTS = "encoder.safetensors"
DECODER = "decoder.safetensors"
SCANS = "scans.tsv"
CURVE = "curve.tsv"
PLAN = "adaptation_plan.json"
FINGERPRINTS = "fingerprints.safetensors"
PAGE = "report.html"
FILES = (WEIGHTS, DECODER, SCANS, CURVE, PLAN, FINGERPRINTS, PAGE)
LOCK = ".medunsup.lock"


class Seen(NamedTuple):
    """A scan or image that an encoder was pretrained on: a line of scans.tsv.

    `sha256` is that of its file, `prepared_sha256` of its values as the network saw them.
    """

    subject: str
    split: str
    scan: str
    sha256: str
    prepared_sha256: str
    data_set: str = "n/a"


@dataclass(frozen=True, eq=False, repr=False)
class EncoderFolder(Shown):
    """A pretrained encoder on disk: what it says of itself, and which scans it has seen.

    `pretrain` makes it. Weights are read when they are needed.

    Attributes
    ----------
    path : Path
        The folder.
    manifest : EncoderManifest
        What its encoder.json says: method, network, how its inputs were prepared, how the training ended.

    Examples
    --------
    >>> import medunsup
    >>> sizes = {"epochs": 1, "batch_size": 4}
    >>> made = medunsup.pretrain("autoencoder", "images.npz", "runs/images", parameters=sizes)
    >>> made.manifest.network.name, made.manifest.scans["train"]
    ('cnn', 12)
    """

    path: Path
    manifest: EncoderManifest = field(repr=False)

    @property
    def files(self) -> ArtifactFolder:
        """Its files, with the hashes they had when they were written."""
        return ArtifactFolder(self.path, self.manifest.sha256)

    @cached_property
    def network(self) -> "Encoder":
        """The encoder with its weights; InputError unless all of them fit."""
        from medunsup.selfsupervised.encode import encoder_of

        weights, about = self.files.arrays(WEIGHTS), self.manifest.network
        try:
            return encoder_of(weights, about.name, about.parameters, dims=about.dims, channels=about.channels)
        except (MedunsupError, RuntimeError) as error:
            raise InputError(
                f"{self.path}: the weights do not fit the encoder {about.name} "
                f"({' '.join(str(error).split())[:200]}). It was made by version {self.manifest.version}; "
                "pretrain again with this one."
            ) from error

    @property
    def decoder(self) -> Arrays | None:
        """Weights of the decoder that a fine-tuning for segmentation starts with, if there is one."""
        return self.files.arrays(DECODER) if DECODER in self.manifest.sha256 else None

    @property
    def plan(self) -> "AdaptationPlan":
        """What must be known of the weights to use them in another network; adaptation_plan.json holds it."""
        return plan_of(self.manifest)

    @cached_property
    def seen(self) -> list[Seen]:
        """The scans or images it was pretrained on, or measured on while it was."""
        return [Seen(**row) for row in read_tsv(self.path / SCANS).rows]


def read_encoder(path: str | Path) -> EncoderFolder:
    """Open an encoder folder.

    Raises MissingError if there is no such folder, InputError if it is not complete, was written in another
    format, or is damaged.
    """
    folder = user_path(path)
    if not folder.exists():
        raise MissingError(f"{folder}: there is no such folder. Give one that pretrain made.")
    if not (folder / MANIFEST).is_file():
        unfinished = is_unfinished(folder)
        hint = (
            f"Its pretraining is not finished: go on with it by pretrain and {option('resume', True)}."
            if unfinished
            else "Give a folder that pretrain made."
        )
        raise InputError(f"{folder}: is no encoder folder ({MANIFEST} is missing). {hint}")
    return EncoderFolder(folder, read_manifest(folder / MANIFEST))


def write_encoder(folder: Path, manifest: EncoderManifest, files: Mapping[str, str | bytes]) -> None:
    """Write all files or none; encoder.json comes last, so where it is, the encoder is whole.

    The manifest's adaptation plan is one of the files. The folder is locked by the caller. Raises OutputError
    on a full or unwritable disk. Page and decoder of an encoder that was there go, if there is
    none of this one.
    """
    plan = json.dumps(plan_of(manifest).model_dump(mode="json"), indent=2) + "\n"
    write_artifact(
        folder,
        {**files, PLAN: plan},
        MANIFEST,
        lambda hashes: manifest.written_now(dict(hashes)).as_record(),
        kind="encoder",
        outdated=(PAGE, DECODER),
    )
