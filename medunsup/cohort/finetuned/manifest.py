"""What finetune.json says of a folder of a fine-tuned network: written and read here, and nowhere else."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from medunsup.core.errors import InputError
from medunsup.core.provenance import generated_by, package_versions, plain
from medunsup.core.version import __version__

FORMAT = 1


class FinetuneManifest(BaseModel):
    """The card of a fine-tuned network: task, encoder, how scans are prepared, what was measured."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_pascal, populate_by_name=True)

    format: int = FORMAT
    version: str | None = None
    generated_by: list[dict[str, Any]] = Field(default_factory=list)
    task: str
    settings: dict[str, Any]
    parameters: dict[str, Any]
    encoder: dict[str, Any]  # its adaptation plan
    pretraining: str  # method, or the file of weights
    encoder_sha256: str = Field(alias="EncoderSHA256")
    spacing_mm: float = Field(alias="SpacingMM")  # 0 of images, which have no known voxel size
    contrast: str  # empty of images
    coarsest_mm: float | None = Field(None, alias="CoarsestMM")  # largest side of a voxel of its scans
    labels: list[dict[str, Any]]
    scans: dict[str, int]  # how many in each split
    steps: int
    verdict: str
    few_labels: dict[str, Any] | None = None  # method beside the labels alone, and which network is kept
    remarks: list[str] = Field(default_factory=list)
    sha256: dict[str, str] = Field(default_factory=dict, alias="SHA256")  # of each file, by name
    versions: dict[str, str] = Field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Return plain values as JSON holds them, in a fixed order."""
        return dict(plain(self.model_dump(mode="json", by_alias=True)))

    def written_now(self, sha256: dict[str, str]) -> Self:
        """Return what a folder written by this version says, of files with these hashes."""
        own = {"format": FORMAT, "version": __version__, "generated_by": [generated_by()]}
        return self.model_copy(update={**own, "sha256": sha256, "versions": package_versions()})


def read_manifest(path: Path) -> FinetuneManifest:
    """Read a finetune.json. Raises InputError if it cannot be read or was written in another format."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["Format"] == FORMAT:
            return FinetuneManifest.model_validate(found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as the description of a fine-tuned network.") from error
    raise InputError(
        f"{path.parent}: was written in format {found['Format']} by medunsup {found.get('Version')}; this is "
        f"{__version__} with format {FORMAT}. Fine-tune again, or use that version."
    )
