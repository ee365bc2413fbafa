"""The mosaic: slices in three planes with the tissues drawn over the scan."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Grid
from medunsup.core.labels import TISSUES, Label
from medunsup.report.pictures import as_grey, doubt_palette, grey_picture, label_png, palette_png
from medunsup.report.slices import PLANES, SIDES, Box, Plane, box_around, coordinate_mm, cut, positions
from medunsup.tissue.result import TissueResult

SLICES_A_PLANE = 10
UNCERTAINTY_SLICES = 6
LINE_MM = 0.5
TEXT_SIZE = 0.055
# Percentiles of the brain that become black and white: one bright vessel must not darken the page.
WINDOW = (0.5, 99.7)


@dataclass(frozen=True)
class Tile:
    """One slice as the page draws it; lengths in mm, pictures as data addresses."""

    key: str
    plane: Plane
    coordinate: str
    width_mm: float
    height_mm: float
    text_mm: float
    picture: str
    outline: str = ""
    fill: str = ""

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


def mosaic(result: TissueResult, count: int = SLICES_A_PLANE) -> dict[str, list[Tile]]:
    """Tiles by plane, `count` slices each, cropped to the brain."""
    cutter = Cutter(result)
    return {
        plane.name: [cutter.tile(plane, n) for n in positions(cutter.mask, plane, count)] for plane in PLANES
    }


def uncertainty_tiles(result: TissueResult, count: int = UNCERTAINTY_SLICES) -> list[Tile]:
    """Tiles of the uncertainty map, `count` a plane; dark is sure, bright is torn between tissues."""
    cutter = Cutter(result)
    doubt = as_grey(cutter.box.crop(result.uncertainty.data), (0.0, 1.0))
    doubt = np.where(cutter.mask, doubt // np.uint8(4) * np.uint8(4) + np.uint8(3), 0).astype(np.uint8)
    return [
        cutter.plain_tile(plane, n, palette_png(cut(doubt, plane, n), doubt_palette()))
        for plane in PLANES
        for n in positions(cutter.mask, plane, count)
    ]


def window(data: NDArray[np.float32], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Intensities that become black and white, from the brain alone."""
    inside = data[mask] if mask.any() else data.ravel()
    low, high = np.percentile(inside[:: max(1, inside.size // 200_000)], WINDOW)
    return min(float(low), float(data.min())) if low < 0 else 0.0, float(high)


def outline(labels: NDArray[np.uint8], table: tuple[Label, ...]) -> NDArray[np.uint8]:
    """Boundary pixels of `labels` (rows, columns), each border drawn once, in the inner tissue's colour."""
    ranks = np.zeros(256, np.uint8)
    for depth, label in enumerate(_inside_out(table)):
        ranks[label.index] = len(table) - depth
    rank = np.pad(ranks[labels], 1, mode="edge")
    here = rank[1:-1, 1:-1]
    lowest = np.minimum.reduce([rank[:-2, 1:-1], rank[2:, 1:-1], rank[1:-1, :-2], rank[1:-1, 2:]])
    return np.where(lowest < here, labels, 0).astype(np.uint8)


def _inside_out(table: tuple[Label, ...]) -> list[Label]:
    """Labels from the innermost: white matter, grey matter, CSF; numbered classes from the brightest."""
    if table == TISSUES:
        return [TISSUES[1], TISSUES[0], TISSUES[2]]
    return sorted(table, key=lambda label: -label.index)


def _signed(value: float) -> str:
    return f"{round(value):+d}".replace("-", "−")


class Cutter:
    """Cuts slices out of one result, cropped to the brain."""

    def __init__(self, result: TissueResult) -> None:
        whole = result.brain_mask.data.astype(bool)
        self.box: Box = box_around(whole, result.image.spacing_mm)
        self.image = self.box.crop(result.image.data)
        self.labels = self.box.crop(result.labels.data)
        self.mask = self.box.crop(whole)
        i, j, k = self.image.shape
        self.grid = Grid((i, j, k), self.box.affine(result.image.affine))
        self.table = tuple(item.label for item in result.tissues)
        self.window = window(self.image, self.mask)
        self._text_mm = round(TEXT_SIZE * float(max(np.multiply(self.grid.shape, self.grid.spacing_mm))), 1)

    def size_mm(self, plane: Plane) -> tuple[float, float]:
        """Width and height of a slice, voxel faces included."""
        spacing, shape = self.grid.spacing_mm, self.grid.shape
        return shape[plane.across] * spacing[plane.across], shape[plane.up] * spacing[plane.up]

    def grey(self, plane: Plane, index: int) -> NDArray[np.uint8]:
        """Cut the scan as an 8-bit picture."""
        return as_grey(cut(self.image, plane, index), self.window)

    def label(self, plane: Plane, index: int) -> NDArray[np.uint8]:
        """Cut the tissues as a picture of `Label.index`."""
        return cut(self.labels, plane, index)

    def tile(self, plane: Plane, index: int) -> Tile:
        """Cut the scan with the outlines and the filled tissues."""
        labels = self.label(plane, index)
        rows, columns = (
            max(1, round(self.grid.spacing_mm[axis] / LINE_MM)) for axis in (plane.up, plane.across)
        )
        fine = labels.repeat(rows, axis=0).repeat(columns, axis=1)
        return replace(
            self.plain_tile(plane, index, grey_picture(self.grey(plane, index))),
            outline=label_png(outline(fine, self.table), self.table),
            fill=label_png(labels, self.table),
        )

    def plain_tile(self, plane: Plane, index: int, picture: str) -> Tile:
        """Make a tile of one picture with nothing drawn over it."""
        width, height = self.size_mm(plane)
        return Tile(
            key=f"{plane.name}-{index}",
            plane=plane,
            coordinate=f"{plane.coordinate} = {_signed(coordinate_mm(self.grid, plane, index))} mm",
            width_mm=round(width, 2),
            height_mm=round(height, 2),
            text_mm=self._text_mm,
            picture=picture,
        )
