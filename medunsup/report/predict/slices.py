"""Slices of a scan with the predicted labels drawn over it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.report.base.images import grey_picture, label_png
from medunsup.report.base.outline import outline
from medunsup.report.base.slices import AXIAL, Plane, cut, positions
from medunsup.report.base.thumbnail import planes_shown, side_by_side
from medunsup.report.base.tiles import Cutter, Tile
from medunsup.supervised.prediction import Prediction

COLOUR_SHARE = 0.45


class LabelCutter(Cutter):
    """Cuts slices out of one prediction, cropped to brain and labels.

    `classes` are numbered from 1 in the order of `table`, so that a picture of 256 colours holds any label.
    """

    def __init__(self, result: Prediction) -> None:
        labels = result.labels.data
        super().__init__(result.image, result.brain.data.astype(bool) | (labels > 0))
        indices = np.array([one.label.index for one in result.volumes])
        self.table = tuple(
            Label(n, one.label.abbreviation, one.label.name, one.label.rgb)
            for n, one in enumerate(result.volumes, start=1)
        )
        inside = self.box.crop(labels)
        self.classes = np.where(inside > 0, np.searchsorted(indices, inside) + 1, 0).astype(np.uint8)

    def fullest(self, plane: Plane) -> int:
        """Return the slice of a plane that shows most of the labels; the middle one where there is none."""
        others = tuple(axis for axis in range(3) if axis != plane.axis)
        counts = (self.classes > 0).sum(axis=others)
        return int(counts.argmax()) if counts.any() else positions(self.mask, plane, 1)[0]

    def tile(self, plane: Plane, index: int) -> Tile:
        """Cut the scan with the outlines and the filled labels."""
        labels = cut(self.classes, plane, index)
        return replace(
            self.plain_tile(plane, index, grey_picture(self.grey(plane, index))),
            outline=label_png(outline(self.fine(labels, plane), self.table), self.table),
            fill=label_png(labels, self.table),
        )


def hero(result: Prediction) -> list[Tile]:
    """Cut the slice of each plane that shows most of the labels."""
    cutter = LabelCutter(result)
    return [
        replace(cutter.tile(plane, cutter.fullest(plane)), key=f"hero-{plane.name}")
        for plane in cutter.planes
    ]


def overview(result: Prediction, count: int) -> list[Tile]:
    """Cut axial slices from bottom to top."""
    cutter = LabelCutter(result)
    return [cutter.tile(AXIAL, n) for n in positions(cutter.mask, AXIAL, count)]


def thumbnail(result: Prediction) -> bytes:
    """Return the JPEG file of an axial and a coronal slice side by side."""
    cutter = LabelCutter(result)
    shown = {plane: cutter.fullest(plane) for plane in planes_shown(cutter)}
    return side_by_side(cutter, {plane: _coloured(cutter, plane, n) for plane, n in shown.items()})


def plain_tiles(image: Volume, brain: Volume) -> list[Tile]:
    """Cut the middle slice of each plane through the brain, with nothing drawn over it."""
    cutter = Cutter(image, brain.data.astype(bool))
    return [
        replace(cutter.plain_tile(plane, n, grey_picture(cutter.grey(plane, n))), key=f"hero-{plane.name}")
        for plane in cutter.planes
        for n in positions(cutter.mask, plane, 1)
    ]


def plain_thumbnail(image: Volume, brain: Volume) -> bytes:
    """Return the JPEG file of a middle axial and coronal slice side by side."""
    cutter = Cutter(image, brain.data.astype(bool))
    shown = {plane: positions(cutter.mask, plane, 1)[0] for plane in planes_shown(cutter)}
    grey = {plane: cutter.grey(plane, n) for plane, n in shown.items()}
    return side_by_side(cutter, {plane: one[..., None].repeat(3, axis=2) for plane, one in grey.items()})


def _coloured(cutter: LabelCutter, plane: Plane, index: int) -> NDArray[np.uint8]:
    """Pixels (rows, columns, 3): the scan with the labels' colours laid over it."""
    grey = cutter.grey(plane, index)[..., None].astype(np.float32)
    classes = cut(cutter.classes, plane, index)
    colours = np.array([(0, 0, 0), *(label.rgb for label in cutter.table)], np.float32)
    share = np.where(classes[..., None] > 0, COLOUR_SHARE, 0)
    return np.asarray((1 - share) * grey + share * colours[classes], dtype=np.uint8)
