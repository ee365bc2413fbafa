"""What model.json says of a model folder: read and written here, and nowhere else."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from medunsup.core.errors import InputError
from medunsup.core.provenance import generated_by, package_versions, plain
from medunsup.core.renamed import by_new_names
from medunsup.core.version import __version__
from medunsup.workflows.train.settings import TrainSettings

FORMAT = 3  # 3: intensity on the template grid is one of the baselines; 2: they go through the steps


class Manifest(BaseModel):
    """What a model folder holds and how it came to be; in JSON the names are in PascalCase.

    Earlier versions of this format left out what has a default here. A key that is not known is kept.
    """

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_pascal, populate_by_name=True)

    format: int = FORMAT
    version: str | None = None
    generated_by: list[dict[str, Any]] = Field(default_factory=list)
    settings: TrainSettings
    contrast: str
    shape: tuple[int, int, int, int]  # channels and template grid (C, I, J, K)
    coarsest_mm: float | None = Field(None, alias="CoarsestMM")  # largest side of a voxel of its scans
    healthy_by: dict[str, int] = Field(default_factory=dict)  # what calls its scans healthy, and how many
    encoder: dict[str, Any] | None = None  # the pretrained one that makes its features, and what it has seen
    left_out: dict[str, int] = Field(default_factory=dict)  # why images were left out, and how many
    patients_left_out: int = 0
    repeated_calibration_scans_left_out: int = 0
    check: dict[str, float | None] = Field(default_factory=dict)  # figures that can be computed again
    sha256: dict[str, str] = Field(default_factory=dict, alias="SHA256")  # of each file, by name
    versions: dict[str, str] = Field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Return plain values as JSON holds them, in a fixed order; what was never set is left out."""
        return dict(plain(self.model_dump(by_alias=True, include=self.model_fields_set)))

    def written_now(self, sha256: dict[str, str]) -> Self:
        """Return what a folder written by this version says, of files with these hashes."""
        own = {"format": FORMAT, "version": __version__, "generated_by": [generated_by()]}
        return self.model_copy(update={**own, "sha256": sha256, "versions": package_versions()})


def read_manifest(path: Path) -> Manifest:
    """Read a model.json.

    Raises InputError if it cannot be read or was written in another format, UsageError for settings that this
    version does not know.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        made_as, chosen = int(found["Format"]), by_new_names(dict(found["Settings"]), TrainSettings.renamed)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    if made_as != FORMAT:
        raise InputError(
            f"{path.parent}: was written in format {made_as} by medunsup {found.get('Version')}; this is "
            f"{__version__} with format {FORMAT}. Train it again, or use that version."
        )
    settings = TrainSettings.parse(chosen, where=str(path))
    try:
        return Manifest.model_validate({**found, "Settings": settings})
    except ValueError as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> InputError:
    return InputError(f"{path}: cannot be read as a model's description. Copy or train it again.")
