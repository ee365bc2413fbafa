"""The items that a run measured itself by, made ready to be looked at."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import SplitName
from medunsup.cohort.encoders.manifest import Kind
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.report.base.images import as_grey
from medunsup.report.base.slices import AXIAL
from medunsup.report.base.tiles import coordinate_words
from medunsup.report.pretrain.sample import Pixels, ShownSample
from medunsup.workflows.pretrain.data import Ready

if TYPE_CHECKING:
    from medunsup.selfsupervised.sample import Sample

BRIGHT_PERCENTILE = 99.7  # of the brain, that becomes white
UNBROKEN = "\N{NO-BREAK SPACE}"
ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh")


def shown(sample: "Sample", ready: Ready) -> ShownSample:
    """Name the items of a sample, and make a picture of each."""
    split: SplitName = "validation" if sample.is_validation else "train"
    names, kind = ready.scans[split].names, ready.preprocessing.kind
    inside = np.broadcast_to(sample.masks[:, None], sample.slices.shape)
    heights_mm, white = _heights_mm(sample, ready), 1.0
    if kind == "scans" and inside.any():
        white = float(np.percentile(sample.slices[inside], BRIGHT_PERCENTILE))
    return ShownSample(
        split=split,
        features=sample.features,
        pictures=[_picture(one, white, kind) for one in sample.slices],
        names=[_name(names[n]) for n in sample.scans],
        places=_places(heights_mm, len(sample.scans)),
        subjects=np.asarray(sample.subjects, np.intp),
        brightness=_means(sample.slices, inside),
        labels=sample.labels,
        classes=ready.labels.classes,
        heights_mm=heights_mm,
    )


def _heights_mm(sample: "Sample", ready: Ready) -> NDArray[np.float64] | None:
    """Where slices lie above the template's origin (N,); None of items that are no slices of scans."""
    if sample.levels is None or ready.preprocessing.spacing_mm is None:
        return None
    affine = ModelSpace(ready.preprocessing.spacing_mm).grid.affine
    return affine[2, 2] * sample.levels + affine[2, 3]


def _places(heights_mm: NDArray[np.float64] | None, n: int) -> list[str]:
    if heights_mm is None:
        return [""] * n
    return [coordinate_words(AXIAL, float(height)).replace(" ", UNBROKEN) for height in heights_mm]


def _means(slices: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean of each item (N,) inside its mask."""
    axes = (1, 2, 3)
    return np.where(inside, slices, 0).sum(axis=axes, dtype=np.float64) / np.maximum(inside.sum(axis=axes), 1)


def _picture(values: NDArray[np.float32], white: float, kind: Kind) -> Pixels:
    """Draw a slice (C, H, W) as (rows, columns, 3): images as they lie, scans in the radiological view."""
    colours = values if len(values) == 3 else values[:1].repeat(3, axis=0)
    if kind == "scans":
        colours = colours.transpose(0, 2, 1)[:, ::-1, ::-1]
    return np.ascontiguousarray(np.moveaxis(as_grey(colours, (0.0, white)), 0, 2))


def _name(file: str) -> str:
    """Name a scan without the ending of its file, an image by its place in the file."""
    if file.endswith("]"):
        return f"image {file.rpartition('[')[2][:-1]}"
    return next((file.removesuffix(ending) for ending in ENDINGS if file.endswith(ending)), file)
