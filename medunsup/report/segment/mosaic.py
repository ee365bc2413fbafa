"""The mosaic: slices in three planes with the tissues drawn over the scan."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.images import as_grey, doubt_palette, grey_picture, label_png, palette_png
from medunsup.report.base.outline import outline
from medunsup.report.base.slices import Plane, cut, positions
from medunsup.report.base.tiles import Cutter, Tile
from medunsup.tissue.result import TissueResult

SLICES_A_PLANE = 10
UNCERTAINTY_SLICES = 6


class TissueCutter(Cutter):
    """Cuts slices out of one result, cropped to the brain."""

    def __init__(self, result: TissueResult) -> None:
        super().__init__(result.image, result.brain_mask.data.astype(bool))
        self.labels = self.box.crop(result.labels.data)
        self.table = tuple(item.label for item in result.tissues)

    def label(self, plane: Plane, index: int) -> NDArray[np.uint8]:
        """Cut the tissues as a picture of `Label.index`."""
        return cut(self.labels, plane, index)

    def tile(self, plane: Plane, index: int) -> Tile:
        """Cut the scan with the outlines and the filled tissues."""
        labels = self.label(plane, index)
        return replace(
            self.plain_tile(plane, index, grey_picture(self.grey(plane, index))),
            outline=label_png(outline(self.fine(labels, plane), self.table), self.table),
            fill=label_png(labels, self.table),
        )


def mosaic(result: TissueResult, count: int = SLICES_A_PLANE) -> dict[str, list[Tile]]:
    """Tiles by plane, `count` slices each, cropped to the brain."""
    cutter = TissueCutter(result)
    return {
        plane.name: [cutter.tile(plane, n) for n in positions(cutter.mask, plane, count)]
        for plane in cutter.planes
    }


def uncertainty_tiles(result: TissueResult, count: int = UNCERTAINTY_SLICES) -> list[Tile]:
    """Tiles of the uncertainty map, `count` a plane; dark is sure, bright is torn between tissues."""
    cutter = TissueCutter(result)
    doubt = as_grey(cutter.box.crop(result.uncertainty.data), (0.0, 1.0))
    doubt = np.where(cutter.mask, doubt // np.uint8(4) * np.uint8(4) + np.uint8(3), 0).astype(np.uint8)
    return [
        cutter.plain_tile(plane, n, palette_png(cut(doubt, plane, n), doubt_palette()))
        for plane in cutter.planes
        for n in positions(cutter.mask, plane, count)
    ]
