"""Clusters on disk: the fitted model, the cluster of each row, the page."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from pydantic import Field, ValidationError

from medunsup.cohort.clusters.data_card import data_card
from medunsup.cohort.clusters.record import as_record
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.core.config import Config
from medunsup.core.errors import InputError, MissingError
from medunsup.core.paths import user_path
from medunsup.core.provenance import plain
from medunsup.core.version import __version__
from medunsup.io.files.artifact_folder import ArtifactFolder, arrays_as_bytes, write_artifact
from medunsup.io.files.tsv import tsv

if TYPE_CHECKING:
    from medunsup.clustering.base import Clustering
    from medunsup.clustering.preparation import Preparation

MANIFEST, MODEL, TABLE, PAGE = "clusters.json", "model.safetensors", "clusters.tsv", "report.html"
CARD = "data_card.md"
FILES = (MODEL, TABLE, PAGE, CARD)
IMAGES = "images"
OURS = re.compile(IMAGES + r"/cluster-\d+_(mean|difference)\.nii\.gz")
LOCK = ".medunsup.lock"
OF_METHOD, OF_PREPARATION, OF_MAP = "method.", "preparation.", "map."

Arrays = Mapping[str, NDArray[Any]]


class ClusterManifest(Config):
    """What clusters.json says of a model; `record` is what was found.

    Without a model (`has_model`) the folder holds new rows that were assigned to the clusters of another.
    """

    method: str
    fitted: str
    parameters: dict[str, Any]
    features: tuple[str, ...]
    image_shape: tuple[int, ...] | None = None
    encoder: str | None = None
    preparation: dict[str, Any] = Field(default_factory=dict)
    harmonise: str | None = None
    covariates: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    has_model: bool = True
    record: dict[str, Any] = Field(default_factory=dict)
    version: str = __version__
    sha256: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FittedClusters:
    """All that assigns a new row: what is done to features, the method, the map (mean, axes, places)."""

    preparation: "Preparation"
    method: "Clustering"
    map: Arrays


@dataclass(frozen=True, eq=False)
class ClusterFolder:
    """Clusters on disk, opened by `read_clusters`."""

    path: Path
    manifest: ClusterManifest

    def fitted(self) -> FittedClusters:
        """Return what was fitted. Raises InputError if its file is not what was written."""
        from medunsup.clustering.preparation import Preparation
        from medunsup.core.registry import method

        about = self.manifest
        arrays = ArtifactFolder(self.path, about.sha256).arrays(MODEL)
        made: Any = method("clustering", about.fitted)
        try:
            return FittedClusters(
                Preparation.opened(_under(OF_PREPARATION, arrays), about.preparation),
                made(**about.parameters).load_state(_under(OF_METHOD, arrays)),
                _under(OF_MAP, arrays),
            )
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{self.path}: is no model of this version (made by {about.version}). Make it again."
            ) from error


def read_clusters(path: str | Path) -> ClusterFolder:
    """Open the folder of clusters.

    Raises MissingError if there is none, InputError if it holds no model that assigns new rows.
    """
    folder = user_path(path)
    if not folder.is_dir():
        raise MissingError(f"{folder}: there is no such folder. Give one that cluster made.")
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        manifest = ClusterManifest.model_validate(json.loads(text))
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: holds no clusters ({MANIFEST} is missing). Give a folder that cluster made."
        ) from error
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(f"{folder / MANIFEST}: is not that of clusters. Make them again.") from error
    if not manifest.has_model:
        raise InputError(f"{folder}: holds rows that were assigned by another model. Give that one.")
    return ClusterFolder(folder, manifest)


def write_clusters(
    folder: Path,
    result: ClusterResult,
    manifest: ClusterManifest,
    fitted: FittedClusters | None,
    page: str | None,
    images: Mapping[str, bytes] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write table, page, images and the fitted model with its data card; clusters.json comes last.

    All are written or none. `attributes` say how the table was made. Images of earlier clusters go. The
    folder is locked by the caller. Raises OutputError on a full or unwritable disk.
    """
    files: dict[str, str | bytes] = {TABLE: tsv(_table(result))}
    if page is not None:
        files[PAGE] = page
    if fitted is not None:
        arrays = _named(OF_PREPARATION, fitted.preparation.state())
        arrays |= _named(OF_METHOD, fitted.method.state())
        arrays |= _named(OF_MAP, fitted.map)
        files[MODEL] = arrays_as_bytes(arrays)
        files[CARD] = data_card(result, attributes or {}, manifest.kept)
    files |= images or {}
    whole = manifest.model_copy(update={"record": plain(as_record(result))})
    write_artifact(
        folder,
        files,
        MANIFEST,
        lambda hashes: whole.model_copy(update={"sha256": dict(hashes)}).model_dump(mode="json"),
        kind="clusters",
        outdated=(*FILES, *images_there(folder)),
    )


def images_there(folder: Path) -> list[str]:
    """Name the images of clusters that are in a folder."""
    there = (path.relative_to(folder).as_posix() for path in folder.glob(f"{IMAGES}/*.nii.gz"))
    return sorted(name for name in there if OURS.fullmatch(name))


def _named(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {prefix + name: array for name, array in arrays.items()}


def _under(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): of for name, of in arrays.items() if name.startswith(prefix)}


def _table(result: ClusterResult) -> Iterator[Sequence[str]]:
    n = len(result.labels)
    keys = dict(result.keys) or {"row": [str(row + 1) for row in range(n)]}
    yield [*keys, "cluster", *(f"p_{cluster}" for cluster in range(result.k)), "typicality"]
    for row in range(n):
        numbers = [*result.probabilities[row], result.typicality[row]]
        yield [
            *(" ".join(of[row].split()) or "n/a" for of in keys.values()),
            str(int(result.labels[row])),
            *("n/a" if number != number else repr(float(number)) for number in numbers),
        ]
