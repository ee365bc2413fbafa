"""Where voxels lie in the world: shape and affine, always RAS+ millimetres."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import GeometryError

SAME_GRID_TOLERANCE_MM = 1e-3

Affine = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """Where voxels lie in the world.

    Attributes
    ----------
    shape : tuple of int
        Voxels along each axis, (I, J, K).
    affine : ndarray of shape (4, 4)
        From voxel indices to world RAS coordinates in mm.
    """

    shape: tuple[int, int, int]
    affine: Affine

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each axis, in mm."""
        lengths = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]))

    @cached_property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel in mm³."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @cached_property
    def center_mm(self) -> NDArray[np.float64]:
        """World position of the middle of the grid, (3,) in mm."""
        middle = (np.array(self.shape, dtype=float) - 1) / 2
        return self.affine[:3, :3] @ middle + self.affine[:3, 3]

    def is_close(self, other: "Grid", tolerance_mm: float = SAME_GRID_TOLERANCE_MM) -> bool:
        """Whether both grids put every voxel at the same place, to within `tolerance_mm`."""
        if self.shape != other.shape:
            return False
        return distance_mm(self, other) <= tolerance_mm


def distance_mm(first: Grid, second: Grid) -> float:
    """Largest distance, along any world axis, between where two grids of one shape put a voxel."""
    return float(np.abs((first.affine - second.affine) @ _corners(first.shape)).max())


def steadied(affine: Affine) -> Affine:
    """Round to 1e-5 and 1e-3 mm: files differ in the last digits, and a registration amplifies them.

    A DICOM series and its NIfTI copy, whose affine is stored in single precision, get the same mask.
    """
    rounded = np.round(affine, 5)
    rounded[:3, 3] = np.round(affine[:3, 3], 3)
    return rounded


def check_same_grid(first: Grid, second: Grid, what: str = "the two volumes") -> None:
    """Raise GeometryError unless both grids coincide."""
    if not first.is_close(second):
        raise GeometryError(
            f"{what} lie on different grids: shape {first.shape} at {_millimetres(first)} mm "
            f"and shape {second.shape} at {_millimetres(second)} mm. "
            "Resample one onto the other's grid first."
        )


def _corners(shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """Homogeneous indices of the eight outermost voxels, (4, 8)."""
    index = np.array(np.meshgrid(*[(0, size - 1) for size in shape], indexing="ij")).reshape(3, -1)
    return np.vstack([index, np.ones(index.shape[1])]).astype(float)


def _millimetres(grid: Grid) -> str:
    return " × ".join(f"{length:.2f}" for length in grid.spacing_mm)
