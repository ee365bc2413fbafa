"""Images that kinds of features learned from a cohort, beside the table, on the template grid."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from medunsup.core.errors import OutputError
from medunsup.core.hints import option
from medunsup.core.volume import Volume
from medunsup.features.base import Feature
from medunsup.io.files.atomic import write_json
from medunsup.io.nifti.write import write_volume
from medunsup.preprocess.geometry.template_grid import ModelSpace

OWNER = "images.json"  # says of which table the images are


def write_images(table: Path, kinds: Mapping[str, Feature], spacing_mm: float) -> None:
    """Write the images of each kind that has some into a folder of its own, `features_pca` of `features.csv`.

    Images of an earlier table of its name go. Raises OutputError if they cannot be written.
    """
    affine = ModelSpace(spacing_mm).grid.affine
    for name, kind in kinds.items():
        folder, files = images_folder(table, name), []
        for image, voxels in kind.images():
            folder.mkdir(parents=True, exist_ok=True)
            files.append(f"{image}.nii.gz")
            write_volume(Volume(voxels.astype(np.float32), affine), folder / files[-1])
        if files:
            for old in set(_owner(folder)[1]) - set(files):
                (folder / old).unlink(missing_ok=True)
            write_json(folder / OWNER, {"table": table.name, "files": files})


def check_images(table: Path, kinds: Mapping[str, Feature], *, force: bool) -> None:
    """Raise OutputError if the folder of a kind's images holds what is not of this table, unless `force`."""
    for name, kind in kinds.items():
        folder = images_folder(table, name)
        if not kind.needs_fit or force or not folder.is_dir() or not any(folder.iterdir()):
            continue
        owner = _owner(folder)[0]
        if owner != table.name:
            whose = f"holds the images of {owner}" if owner else "is there already and not ours"
            raise OutputError(
                f"{folder}: {whose}. Choose another name with {option('out')}, or replace them with "
                f"{option('force', True)}."
            )


def images_folder(table: Path, kind: str) -> Path:
    """Name the folder of the images of a kind."""
    return table.with_name(f"{table.stem}_{kind}")


def _owner(folder: Path) -> tuple[str, list[str]]:
    """Return the table that images are of, and their names; nothing if no one says so."""
    try:
        said = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        return str(said["table"]), [str(name) for name in said["files"] if "/" not in str(name)]
    except (OSError, ValueError, KeyError, TypeError):
        return "", []
