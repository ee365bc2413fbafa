"""Slices through what was found: map over the scan, pseudo-healthy reconstruction, maps of baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.result import AnomalyResult, BaselineResult, Finding
from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.report.base.heatmap import CEILING, heat_levels, heat_png
from medunsup.report.base.images import as_grey, doubt_palette, grey_picture, label_png, palette_png
from medunsup.report.base.outline import FOUND, outline
from medunsup.report.base.slices import AXIAL, Plane, cut, positions
from medunsup.report.base.tiles import Cutter, Tile

BRAIN = Label(1, "brain", "Brain mask", (235, 235, 235))
LINES = (BRAIN, FOUND)
# Percentiles of a raw map in the brain that become the ends of its colours.
RAW_WINDOW, BASELINE_WINDOW = (1.0, 99.9), (95.0, 99.9)
COARSE = 8  # 32 levels of a map are enough for the eye and make small pictures

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Place:
    """A point that is shown, in three planes or fewer; `finding` None where nothing was found."""

    finding: Finding | None
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Comparison:
    """One slice of the scan, of its pseudo-healthy reconstruction if there is one, and of the raw map."""

    scan: Tile
    healthy: Tile | None
    raw: Tile


class AnomalyCutter(Cutter):
    """Cuts slices out of one result, cropped to the brain."""

    def __init__(self, result: AnomalyResult) -> None:
        super().__init__(result.image, result.brain.data.astype(bool))
        self.heat = heat_levels(self.box.crop(result.calibrated.data))
        self.found = self.box.crop(result.mask.data.astype(bool))

    def index_of(self, point_mm: Point) -> tuple[int, int, int]:
        """Nearest voxel to a point of the world."""
        i, j, k = np.linalg.solve(self.grid.affine, [*point_mm, 1.0])[:3].round().astype(int)
        return int(i), int(j), int(k)

    def overlay(self, plane: Plane, index: int, *, brain: bool = False) -> Tile:
        """Cut the scan with the map and the outline of the findings over it, and of the brain if asked."""
        drawn = np.where(cut(self.found, plane, index), FOUND.index, 0).astype(np.uint8)
        if brain:
            drawn = np.maximum(drawn, cut(self.mask, plane, index).astype(np.uint8))
        lines = outline(self.fine(drawn, plane), LINES)
        return replace(
            self.scan(plane, index),
            outline=label_png(_bold(lines), LINES),
            fill=heat_png(cut(self.heat, plane, index)),
        )

    def scan(self, plane: Plane, index: int) -> Tile:
        """Cut the scan alone."""
        return self.plain_tile(plane, index, grey_picture(self.grey(plane, index)))

    def through(self, point_mm: Point, *, brain: bool = False) -> tuple[Tile, ...]:
        """Cut the planes worth a picture through a point, marked by a cross."""
        where = self.index_of(point_mm)
        return tuple(
            replace(self.overlay(plane, where[plane.axis], brain=brain), cross=self.cross(plane, where))
            for plane in self.planes
        )

    def cross(self, plane: Plane, where: tuple[int, int, int]) -> tuple[float, float]:
        """Place of a voxel's centre in the picture, in mm from its left and top."""
        width, height = self.size_mm(plane)
        spacing = self.grid.spacing_mm
        across, up = ((where[axis] + 0.5) * spacing[axis] for axis in (plane.across, plane.up))
        return round(width - across, 2), round(height - up, 2)


def places(result: AnomalyResult, count: int) -> list[Place]:
    """Up to three planes through the peaks of the `count` largest findings, or the highest voxel of all.

    A flagged scan shows its brain mask as well: that is what must be looked at first.
    """
    cutter, brain = AnomalyCutter(result), bool(result.flags)
    if not result.findings:
        return [Place(None, cutter.through(highest(result), brain=brain))]
    return [Place(one, cutter.through(one.peak_mm, brain=brain)) for one in result.findings[:count]]


def overview(result: AnomalyResult, count: int) -> list[Tile]:
    """Axial slices from bottom to top with the map, the findings and the brain mask."""
    cutter = AnomalyCutter(result)
    return [cutter.overlay(AXIAL, n, brain=True) for n in positions(cutter.mask, AXIAL, count)]


def comparisons(result: AnomalyResult) -> list[Comparison]:
    """Cut up to three planes through the first place: scan, reconstruction in the same window, raw map."""
    cutter = AnomalyCutter(result)
    where = cutter.index_of(first_point(result))
    healthy = None if result.healthy is None else cutter.box.crop(result.healthy.data)
    low, high = raw_window(result)
    raw = as_grey(cutter.box.crop(result.score.data), (low, high))
    raw = np.where(cutter.mask, np.maximum(_coarse(raw), 1), 0).astype(np.uint8)
    rows = []
    for plane in cutter.planes:
        index = where[plane.axis]
        expected = None
        if healthy is not None:
            expected = cutter.plain_tile(
                plane, index, grey_picture(as_grey(cut(healthy, plane, index), cutter.window))
            )
        coloured = palette_png(cut(raw, plane, index), doubt_palette())
        rows.append(
            Comparison(cutter.scan(plane, index), expected, cutter.plain_tile(plane, index, coloured))
        )
    return rows


def baseline_tiles(result: AnomalyResult) -> list[tuple[BaselineResult, Tile | None]]:
    """Each baseline's map in one axial slice; its colours begin at its own highest twentieth."""
    cutter = AnomalyCutter(result)
    index = cutter.index_of(first_point(result))[AXIAL.axis]
    return [
        (one, None if one.map is None else replace(_baseline_tile(cutter, one.map, index), key=one.name))
        for one in result.baselines
    ]


def raw_window(result: AnomalyResult) -> tuple[float, float]:
    """Raw scores that become the first and the last colour; the threshold is never beyond them."""
    low, high = _percentiles(result.score.data, result.brain.data.astype(bool), RAW_WINDOW)
    return low, max(high, result.threshold)


def first_point(result: AnomalyResult) -> Point:
    """Return the peak of the largest finding, or the highest voxel."""
    return result.findings[0].peak_mm if result.findings else highest(result)


def highest(result: AnomalyResult) -> Point:
    """Find the world mm of the highest raw score in the brain."""
    scores = np.where(result.brain.data, result.score.data, -np.inf)
    index = np.unravel_index(int(scores.argmax()), scores.shape)
    x, y, z = result.image.affine[:3, :3] @ index + result.image.affine[:3, 3]
    return float(x), float(y), float(z)


def first_marked(result: AnomalyResult) -> float | None:
    """Return the value of the calibrated map at which findings begin; None if there are none."""
    inside = result.mask.data.astype(bool)
    return float(result.calibrated.data[inside].min()) if inside.any() else None


def _baseline_tile(cutter: AnomalyCutter, found: Volume, index: int) -> Tile:
    data = cutter.box.crop(found.data)
    low, high = _percentiles(data, cutter.mask, BASELINE_WINDOW)
    share = np.clip((data - low) / max(high - low, 1e-9), 0, 1)
    above = np.where(cutter.mask & (data > low), 1 + (CEILING - 1) * share, 0)
    heat = heat_png(cut(heat_levels(above), AXIAL, index))
    return replace(cutter.scan(AXIAL, index), fill=heat)


def _percentiles(
    data: NDArray[np.floating], mask: NDArray[np.bool_], ends: Sequence[float]
) -> tuple[float, float]:
    low, high = np.percentile(data[mask], ends) if mask.any() else (0.0, 1.0)
    return float(low), float(high)


def _bold(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw findings twice as thick as the brain: they lie on bright colours."""
    found = lines == FOUND.index
    thick = found.copy()
    thick[1:] |= found[:-1]
    thick[:, 1:] |= found[:, :-1]
    return np.where(thick, FOUND.index, lines).astype(np.uint8)


def _coarse(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return levels // np.uint8(COARSE) * np.uint8(COARSE)
