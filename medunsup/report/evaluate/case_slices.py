"""The slices of one case that the page shows: which planes, where, and what lies in them, as small arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.core.volume import Volume
from medunsup.io.files.npz import read_npz, write_npz
from medunsup.report.base.heatmap import heat_levels
from medunsup.report.base.slices import PLANES, Plane, coordinate_mm, cut
from medunsup.report.base.thumbnail import planes_shown
from medunsup.report.base.tiles import Cutter

LENGTHS = "_mm"  # behind a plane's name: the array of its place, width and height

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class CaseSlice:
    """One plane through a case, as pictures of (rows, columns) uint8: top row up, radiological sides.

    `grey` is the scan, `heat` the calibrated map in levels, `marked` and `truth` are 1 where something was
    found and where lesions are. `position_mm` is its place along the plane's axis, `size_mm` its width and
    height.
    """

    plane: Plane
    position_mm: float
    size_mm: tuple[float, float]
    grey: Pixels
    heat: Pixels
    marked: Pixels
    truth: Pixels


def cut_slices(
    image: Volume, brain: Mask, calibrated: NDArray[np.float32], marked: Mask, truth: Mask | None
) -> tuple[CaseSlice, ...]:
    """Cut an axial and a coronal slice, or what is worth a picture of a thin scan.

    All arrays are (I, J, K) on the image's grid; `calibrated` is -log10 of the share of healthy voxels that
    score as much. Slices go through the thickest of the true lesions, else of what is `marked`, of what is
    rare, or of the brain.
    """
    cutter = Cutter(image, brain if truth is None else brain | truth)
    heat = heat_levels(cutter.box.crop(np.where(brain, calibrated, 0)))
    found = cutter.box.crop(marked)
    lesions = np.zeros_like(cutter.mask) if truth is None else cutter.box.crop(truth)
    weights = next((part for part in (lesions, found, heat) if part.any()), cutter.mask)
    places = [(plane, int(_sums(weights, plane).argmax())) for plane in planes_shown(cutter)]
    return tuple(
        CaseSlice(
            plane,
            coordinate_mm(cutter.grid, plane, index),
            cutter.size_mm(plane),
            cutter.grey(plane, index),
            *(cut(part, plane, index).astype(np.uint8) for part in (heat, found, lesions)),
        )
        for plane, index in places
    )


def write_slices(slices: Sequence[CaseSlice], path: Path) -> None:
    """Keep slices in one file (npz). Raises OutputError if it cannot be written."""
    arrays: dict[str, NDArray] = {}
    for one in slices:
        arrays[one.plane.name] = np.stack([one.grey, one.heat, one.marked, one.truth])
        arrays[one.plane.name + LENGTHS] = np.array([one.position_mm, *one.size_mm])
    write_npz(path, arrays)


def read_slices(path: Path) -> tuple[CaseSlice, ...]:
    """Read what was kept; nothing if it is not there or damaged."""
    kept = read_npz(path) or {}
    try:
        return tuple(
            _slice(plane, kept[plane.name], kept[plane.name + LENGTHS])
            for plane in PLANES
            if plane.name in kept
        )
    except (KeyError, ValueError):
        return ()


def _slice(plane: Plane, pictures: Pixels, lengths_mm: NDArray[np.float64]) -> CaseSlice:
    grey, heat, marked, truth = pictures
    position_mm, width_mm, height_mm = (float(length) for length in lengths_mm)
    return CaseSlice(plane, position_mm, (width_mm, height_mm), grey, heat, marked, truth)


def _sums(weights: NDArray, plane: Plane) -> NDArray[np.float64]:
    return weights.sum(axis=tuple(axis for axis in range(3) if axis != plane.axis), dtype=float)
