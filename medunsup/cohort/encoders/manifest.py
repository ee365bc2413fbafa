"""What encoder.json says of an encoder folder: read and written here, and nowhere else."""

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from medunsup.cohort.settings import ReadSettings
from medunsup.core.errors import InputError
from medunsup.core.provenance import generated_by, package_versions, plain
from medunsup.core.version import __version__

FORMAT = 1

Kind = Literal["scans", "images"]


class _Part(BaseModel):
    """Frozen, with names in PascalCase in JSON; a key that is not known is kept."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_pascal, populate_by_name=True)


class Network(_Part):
    """Which network the weights are for."""

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    dims: Literal[2, 3]
    channels: int = Field(ge=1)
    n_features: int = Field(ge=1)


class Preprocessing(_Part):
    """How scans or images came to be what the network saw; `shape` is (C, I, J, K), of images K is 1.

    Scans lie on the template grid of `spacing_mm`, 0 outside the brain, their intensities brought to about
    [0, 1] by the healthy scale of their `contrast`. Images are divided by 255.
    """

    kind: Kind
    shape: tuple[int, int, int, int]
    intensity: str
    spacing_mm: float | None = Field(None, alias="SpacingMM")
    coarsest_mm: float | None = Field(None, alias="CoarsestMM")  # largest side of a voxel of its scans
    contrast: str | None = None
    reading: ReadSettings | None = None


class EncoderManifest(_Part):
    """The card of an encoder: network, method, how its inputs were prepared, how the training ended."""

    format: int = FORMAT
    version: str | None = None
    generated_by: list[dict[str, Any]] = Field(default_factory=list)
    method: str
    parameters: dict[str, Any]  # all of the method's, defaults among them
    network: Network
    preprocessing: Preprocessing
    scans: dict[str, int]  # how many in each split
    left_out: dict[str, int] = Field(default_factory=dict)  # why images were left out, and how many
    epochs: int
    verdict: str = ""  # the collapse that the figures show at the end, in words; empty of a healthy run
    last: dict[str, float | None] = Field(default_factory=dict)  # figures of the last epoch
    kept_epoch: int | None = None  # whose weights these are; None in folders that keep the last
    kept: dict[str, float | None] = Field(default_factory=dict)  # its figures
    sha256: dict[str, str] = Field(default_factory=dict, alias="SHA256")  # of each file, by name
    versions: dict[str, str] = Field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Return plain values as JSON holds them, in a fixed order."""
        return dict(plain(self.model_dump(mode="json", by_alias=True)))

    def written_now(self, sha256: dict[str, str]) -> Self:
        """Return what a folder written by this version says, of files with these hashes."""
        own = {"format": FORMAT, "version": __version__, "generated_by": [generated_by()]}
        return self.model_copy(update={**own, "sha256": sha256, "versions": package_versions()})


def read_manifest(path: Path) -> EncoderManifest:
    """Read an encoder.json. Raises InputError if it cannot be read or was written in another format."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        made_as = int(found["Format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    if made_as != FORMAT:
        raise InputError(
            f"{path.parent}: was written in format {made_as} by medunsup {found.get('Version')}; this is "
            f"{__version__} with format {FORMAT}. Pretrain again, or use that version."
        )
    try:
        return EncoderManifest.model_validate(found)
    except ValueError as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> InputError:
    return InputError(f"{path}: cannot be read as an encoder's description. Copy it, or pretrain again.")
