"""A map on disk: the fitted method, the places of its rows, the page."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from medunsup.cohort.maps.result import ReductionResult
from medunsup.core.config import Config
from medunsup.core.errors import InputError, MissingError
from medunsup.core.paths import user_path
from medunsup.core.provenance import plain
from medunsup.core.version import __version__
from medunsup.io.files.artifact_folder import ArtifactFolder, arrays_as_bytes, write_artifact
from medunsup.io.files.tsv import tsv

if TYPE_CHECKING:
    from medunsup.reduction.base import Reduction

MANIFEST, MODEL, TABLE, MODES, LOADINGS, PAGE = (
    "map.json",
    "model.safetensors",
    "map.tsv",
    "modes.tsv",
    "loadings.tsv",
    "report.html",
)
FILES = (MODEL, TABLE, MODES, LOADINGS, PAGE)
IMAGES = "images"
OURS = re.compile(IMAGES + r"/axis-(\d+_change|mean)\.nii\.gz")
LOCK = ".medunsup.lock"


class MapManifest(Config):
    """What map.json says: method, parameters and features of a map; `record` is what else was found.

    Without a model (`has_model`) the folder holds new rows that were placed on another map.
    """

    method: str
    parameters: dict[str, Any]
    features: tuple[str, ...]
    has_model: bool = True
    record: dict[str, Any] = Field(default_factory=dict)
    version: str = __version__
    sha256: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MapFolder:
    """A map on disk, opened by `read_map`."""

    path: Path
    manifest: MapManifest

    def reduction(self) -> "Reduction":
        """Return the fitted method. Raises InputError if its file is not what was written."""
        from medunsup.core.registry import method

        arrays = ArtifactFolder(self.path, self.manifest.sha256).arrays(MODEL)
        made: Any = method("reduction", self.manifest.method)
        try:
            return made(**self.manifest.parameters).load_state(arrays)
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{self.path}: is no map of this version (made by {self.manifest.version}). Make it again."
            ) from error


def read_map(path: str | Path) -> MapFolder:
    """Open the folder of a map.

    Raises MissingError if there is none, InputError if it holds no map that new rows can be placed on.
    """
    folder = user_path(path)
    if not folder.exists():
        raise MissingError(f"{folder}: there is no such folder. Give one that reduce made.")
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        manifest = MapManifest.model_validate(json.loads(text))
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: holds no map ({MANIFEST} is missing). Give a folder that reduce made."
        ) from error
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(f"{folder / MANIFEST}: is not that of a map. Make the map again.") from error
    if not manifest.has_model:
        raise InputError(f"{folder}: holds rows that were placed on another map. Give the map itself.")
    return MapFolder(folder, manifest)


def write_map(
    folder: Path,
    result: ReductionResult,
    reduction: "Reduction | None",
    page: str,
    images: Mapping[str, bytes] | None = None,
) -> None:
    """Write table, page, modes, images and the fitted method, all or none; map.json comes last.

    The folder is locked by the caller. Raises OutputError on a full or unwritable disk.
    """
    files: dict[str, str | bytes] = {TABLE: tsv(_table(result)), PAGE: page}
    if reduction is not None:
        files[MODEL] = arrays_as_bytes(reduction.state())
    if result.modes is not None:
        files[MODES] = tsv(_modes(result))
    if result.loadings is not None:
        files[LOADINGS] = tsv(_loadings(result))
    files |= images or {}
    manifest = MapManifest(
        method=result.method,
        parameters={} if reduction is None else plain(reduction.get_params()),
        features=result.names,
        has_model=reduction is not None,
        record=plain(result.as_record()),
    )
    write_artifact(
        folder,
        files,
        MANIFEST,
        lambda hashes: manifest.model_copy(update={"sha256": dict(hashes)}).model_dump(mode="json"),
        kind="map",
        outdated=(*FILES, *images_there(folder)),
    )


def images_there(folder: Path) -> list[str]:
    """Name the images of axes that are in a folder."""
    there = (path.relative_to(folder).as_posix() for path in folder.glob(f"{IMAGES}/*.nii.gz"))
    return sorted(name for name in there if OURS.fullmatch(name))


def _table(result: ReductionResult) -> Iterator[Sequence[str]]:
    keys = dict(result.keys) or {"row": [str(n + 1) for n in range(len(result.places))]}
    p = {} if result.typicality is None else {"typicality": _numbers(result.typicality)}
    yield [*keys, *result.axes, *p]
    for n, place in enumerate(result.places):
        yield [
            *(" ".join(of[n].split()) or "n/a" for of in keys.values()),
            *_numbers(place),
            *(of[n] for of in p.values()),
        ]


def _modes(result: ReductionResult) -> Iterator[Sequence[str]]:
    yield ["axis", "deviations", *result.names]
    for axis, mode in zip(result.axes, () if result.modes is None else result.modes, strict=True):
        for deviations, row in zip(("-2", "2"), mode, strict=True):
            yield [axis, deviations, *_numbers(row)]


def _loadings(result: ReductionResult) -> Iterator[Sequence[str]]:
    yield ["feature", *result.axes]
    for name, row in zip(result.names, () if result.loadings is None else result.loadings.T, strict=True):
        yield [name, *_numbers(row)]


def _numbers(values: Iterable[float]) -> list[str]:
    return [repr(float(value)) for value in values]
