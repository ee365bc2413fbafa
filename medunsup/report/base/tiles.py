"""Cuts one scan into tiles: slices in three planes, cropped to the brain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Grid
from medunsup.core.volume import Volume
from medunsup.report.base.images import as_grey
from medunsup.report.base.numbers import minus
from medunsup.report.base.slices import PLANES, SIDES, Box, Plane, box_around, coordinate_mm, cut

LINE_MM = 0.5
TEXT_SIZE = 0.055
FEWEST_PIXELS = 8  # a plane that cuts fewer slices is a strip without a shape
# Percentiles of the brain that become black and white: one bright vessel must not darken the page.
WINDOW = (0.5, 99.7)


@dataclass(frozen=True)
class Tile:
    """One slice as the page draws it; lengths in mm, pictures as data addresses.

    `cross` is a place in the picture to be marked, from its left and top.
    """

    key: str
    plane: Plane
    coordinate: str
    width_mm: float
    height_mm: float
    text_mm: float
    picture: str
    outline: str = ""
    fill: str = ""
    cross: tuple[float, float] | None = None

    @property
    def characters(self) -> int:
        """Length of its pictures in the page."""
        return len(self.picture) + len(self.outline) + len(self.fill)

    @property
    def description(self) -> str:
        """What a reader who cannot see the picture is told."""
        return (
            f"{self.plane.name.capitalize()} slice at {self.coordinate}; "
            f"the patient's {SIDES[self.plane.left]} is at the left of the picture."
        )


class Cutter:
    """Cuts slices out of a scan and maps that lie on it, cropped to the brain `mask` (I, J, K)."""

    def __init__(self, image: Volume, mask: NDArray[np.bool_]) -> None:
        self.box: Box = box_around(mask, image.spacing_mm)
        self.image = self.box.crop(image.data)
        self.mask = self.box.crop(mask)
        i, j, k = self.image.shape
        self.grid = Grid((i, j, k), self.box.affine(image.affine))
        self.window = window(self.image, self.mask)
        self._text_mm = round(TEXT_SIZE * float(max(np.multiply(self.grid.shape, self.grid.spacing_mm))), 1)

    @property
    def planes(self) -> tuple[Plane, ...]:
        """Planes worth a picture: one of a scan of few slices, all three of one that is small all round."""
        shape = self.grid.shape
        whole = [plane for plane in PLANES if min(shape[plane.across], shape[plane.up]) >= FEWEST_PIXELS]
        return tuple(whole) or PLANES

    def size_mm(self, plane: Plane) -> tuple[float, float]:
        """Width and height of a slice, voxel faces included."""
        spacing, shape = self.grid.spacing_mm, self.grid.shape
        return shape[plane.across] * spacing[plane.across], shape[plane.up] * spacing[plane.up]

    def grey(self, plane: Plane, index: int) -> NDArray[np.uint8]:
        """Cut the scan as an 8-bit picture."""
        return as_grey(cut(self.image, plane, index), self.window)

    def fine(self, labels: NDArray[np.uint8], plane: Plane) -> NDArray[np.uint8]:
        """Repeat the pixels of a slice until they are small enough for thin lines."""
        rows, columns = (
            max(1, round(self.grid.spacing_mm[axis] / LINE_MM)) for axis in (plane.up, plane.across)
        )
        return labels.repeat(rows, axis=0).repeat(columns, axis=1)

    def plain_tile(self, plane: Plane, index: int, picture: str) -> Tile:
        """Make a tile of one picture with nothing drawn over it."""
        width, height = self.size_mm(plane)
        return Tile(
            key=f"{plane.name}-{index}",
            plane=plane,
            coordinate=coordinate_words(plane, coordinate_mm(self.grid, plane, index)),
            width_mm=round(width, 2),
            height_mm=round(height, 2),
            text_mm=self._text_mm,
            picture=picture,
        )


def window(data: NDArray[np.float32], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Intensities that become black and white, from the brain alone."""
    inside = data[mask] if mask.any() else data.ravel()
    low, high = np.percentile(inside[:: max(1, inside.size // 200_000)], WINDOW)
    return min(float(low), float(data.min())) if low < 0 else 0.0, float(high)


def coordinate_words(plane: Plane, position_mm: float) -> str:
    """Say where a slice lies along its axis, such as "z = +12 mm"."""
    return f"{plane.coordinate} = {minus(f'{round(position_mm):+d}')} mm"
