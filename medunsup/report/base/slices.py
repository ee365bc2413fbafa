"""Cut three planes through a volume, the way radiologists look at them.

Radiological convention throughout: one faces the patient, so the patient's left is at the right of the
picture; sagittal slices look to the left.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Affine, Grid

MARGIN_MM = 8.0
COVER = (0.10, 0.90)


@dataclass(frozen=True)
class Plane:
    """A cutting plane: the RAS+ axes across it and within it, and the letters at its four sides."""

    name: str
    axis: int
    across: int
    up: int
    coordinate: str
    left: str
    right: str
    top: str
    bottom: str


AXIAL = Plane("axial", 2, 0, 1, "z", "R", "L", "A", "P")
CORONAL = Plane("coronal", 1, 0, 2, "y", "R", "L", "S", "I")
SAGITTAL = Plane("sagittal", 0, 1, 2, "x", "A", "P", "S", "I")
PLANES = (AXIAL, CORONAL, SAGITTAL)

SIDES = {"L": "left", "R": "right", "A": "front", "P": "back", "S": "top", "I": "bottom"}


@dataclass(frozen=True)
class Box:
    """A box of voxels, one slice object an axis."""

    bounds: tuple[slice, slice, slice]

    def crop(self, data: NDArray) -> NDArray:
        """Return the part of `data` (..., I, J, K) in the box."""
        return data[(..., *self.bounds)]

    def affine(self, affine: Affine) -> Affine:
        """Return the affine of the part."""
        moved = affine.copy()
        moved[:3, 3] += affine[:3, :3] @ [bound.start for bound in self.bounds]
        return moved


def box_around(mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> Box:
    """Return the box that holds `mask` (I, J, K) and `MARGIN_MM` around it; everything if it is empty."""
    bounds = []
    for axis, size in enumerate(mask.shape):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        margin = round(MARGIN_MM / spacing_mm[axis])
        first, last = (inside[0], inside[-1]) if inside.size else (0, size - 1)
        bounds.append(slice(max(0, int(first) - margin), min(size, int(last) + 1 + margin)))
    return Box((bounds[0], bounds[1], bounds[2]))


def positions(mask: NDArray[np.bool_], plane: Plane, count: int) -> list[int]:
    """Up to `count` slice indices spread over the part of `plane.axis` that `mask` covers."""
    others = tuple(axis for axis in range(3) if axis != plane.axis)
    inside = np.flatnonzero(mask.any(axis=others))
    first, last = (inside[0], inside[-1]) if inside.size else (0, mask.shape[plane.axis] - 1)
    cover = COVER if count > 1 else (0.5, 0.5)
    wanted = first + np.linspace(*cover, count) * (last - first)
    return sorted({int(where + 0.5) for where in wanted})


def cut(data: NDArray, plane: Plane, index: int) -> NDArray:
    """One slice as a picture (rows, columns): top row up, radiological left and right."""
    where: list[slice | int] = [slice(None)] * 3
    where[plane.axis] = index
    across_up = data[tuple(where)]  # a view; np.take would copy the whole volume first
    return across_up.T[::-1, ::-1]


def coordinate_mm(grid: Grid, plane: Plane, index: int) -> float:
    """World coordinate along `plane`'s axis of the middle of slice `index`, in mm."""
    middle = (np.array(grid.shape, dtype=float) - 1) / 2
    middle[plane.axis] = index
    return float(grid.affine[plane.axis, :3] @ middle + grid.affine[plane.axis, 3])


def tilt_degrees(grid: Grid) -> float:
    """Largest angle between a grid axis and its world axis: 0 unless the scan is oblique."""
    directions = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    return float(np.degrees(np.arccos(np.clip(np.diag(directions), -1, 1))).max())
