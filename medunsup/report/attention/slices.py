"""Maps of where a network looks, laid over the scan in three planes through the middle of the brain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.encoders.attended import AttentionResult
from medunsup.core.volume import Volume
from medunsup.report.base.heatmap import ANCHORS
from medunsup.report.base.images import grey_picture, palette_png
from medunsup.report.base.slices import AXIAL, Plane, cut, positions
from medunsup.report.base.tiles import Cutter, Tile

MOST_OPAQUE = 0.8
STEP = 8  # 32 levels of a map are enough for the eye and make small pictures
LEVELS = 255


@dataclass(frozen=True)
class Look:
    """One map of one network: its name, the value that became 1, and its slices."""

    name: str
    scale: float
    tiles: tuple[Tile, ...]


class LookCutter(Cutter):
    """Cuts slices of one scan and of maps that lie on it."""

    def __init__(self, result: AttentionResult) -> None:
        super().__init__(result.image, result.brain.data.astype(bool))
        inside = np.argwhere(self.mask) if self.mask.any() else np.argwhere(np.ones_like(self.mask))
        self.middle = inside.mean(axis=0).round().astype(int)

    def scan_tiles(self) -> tuple[Tile, ...]:
        """Cut the scan alone."""
        return tuple(self._scan(plane, int(self.middle[plane.axis])) for plane in self.planes)

    def tiles(self, found: Volume, key: str) -> tuple[Tile, ...]:
        """Cut the scan with a map over it."""
        levels = self._levels(found)
        return tuple(
            self._over(levels, plane, int(self.middle[plane.axis]), f"{key}-{plane.name}")
            for plane in self.planes
        )

    def overview(self, found: Volume, count: int) -> list[Tile]:
        """Cut axial slices with a map over them, from bottom to top."""
        levels = self._levels(found)
        return [self._over(levels, AXIAL, n, f"all-{n}") for n in positions(self.mask, AXIAL, count)]

    def _levels(self, found: Volume) -> NDArray[np.uint8]:
        levels = (self.box.crop(found.data) * np.float32(LEVELS)).astype(np.uint8)
        return levels // np.uint8(STEP) * np.uint8(STEP)

    def _scan(self, plane: Plane, index: int) -> Tile:
        return self.plain_tile(plane, index, grey_picture(self.grey(plane, index)))

    def _over(self, levels: NDArray[np.uint8], plane: Plane, index: int, key: str) -> Tile:
        fill = palette_png(cut(levels, plane, index), palette(), opacity())
        return replace(self._scan(plane, index), key=key, fill=fill)


def looks(
    cutter: LookCutter,
    maps: Mapping[str, Volume],
    scales: Mapping[str, float],
    names: Sequence[str],
    key: str,
) -> list[Look]:
    """Cut these maps of one network; `key` tells its slices from those of another."""
    return [Look(name, scales[name], cutter.tiles(maps[name], f"{key}-{name}")) for name in names]


def palette() -> NDArray[np.uint8]:
    """Colours (256, 3) of a map from 0 to 1, purple to yellow."""
    places = np.linspace(0, LEVELS, len(ANCHORS))
    channels = [np.interp(np.arange(256), places, [anchor[n] for anchor in ANCHORS]) for n in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def opacity() -> NDArray[np.uint8]:
    """Opacity (256,) of the levels: a map that is low leaves the scan to be seen."""
    return (MOST_OPAQUE * np.arange(256)).round().astype(np.uint8)


def gradient() -> str:
    """Write the colours as stops of a CSS gradient, see-through as on the scan."""
    shares = np.linspace(0, MOST_OPAQUE, len(ANCHORS))
    return ", ".join(
        f"rgb({red} {green} {blue} / {share:.2f})"
        for (red, green, blue), share in zip(ANCHORS, shares, strict=True)
    )
