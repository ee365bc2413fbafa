"""Images that kinds of features learned from a cohort, beside the table, on the template grid."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from medunsup.core.volume import Volume
from medunsup.features.base import Feature
from medunsup.io.nifti.write import write_volume
from medunsup.preprocess.geometry.template_grid import ModelSpace


def write_images(table: Path, kinds: Mapping[str, Feature], spacing_mm: float) -> None:
    """Write the images of each kind that has some into a folder of its own, `features_pca` of `features.csv`.

    Raises OutputError if they cannot be written.
    """
    affine = ModelSpace(spacing_mm).grid.affine
    for name, kind in kinds.items():
        for image, voxels in kind.images():
            folder = images_folder(table, name)
            folder.mkdir(parents=True, exist_ok=True)
            write_volume(Volume(voxels.astype(np.float32), affine), folder / f"{image}.nii.gz")


def images_folder(table: Path, kind: str) -> Path:
    """Name the folder of the images of a kind."""
    return table.with_name(f"{table.stem}_{kind}")
