"""A picture small enough for a table of 500 scans: two middle slices, tissues in colour."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medunsup.report.base.images import colour_jpeg
from medunsup.report.base.slices import AXIAL, CORONAL, Plane, positions
from medunsup.report.base.tiles import Cutter
from medunsup.report.segment.mosaic import TissueCutter
from medunsup.tissue.result import TissueResult

HEIGHT = 96
COLOUR_SHARE = 0.45
QUALITY = 72


def thumbnail(result: TissueResult) -> bytes:
    """Return the JPEG file of an axial and a coronal slice side by side, `HEIGHT` pixels high."""
    cutter = TissueCutter(result)
    middles = {plane: positions(cutter.mask, plane, 1)[0] for plane in planes_shown(cutter)}
    return side_by_side(cutter, {plane: _coloured(cutter, plane, index) for plane, index in middles.items()})


def planes_shown(cutter: Cutter) -> Sequence[Plane]:
    """Axial and coronal, but for a plane that the scan is too thin for."""
    return [plane for plane in (AXIAL, CORONAL) if plane in cutter.planes] or cutter.planes


def side_by_side(cutter: Cutter, slices: Mapping[Plane, NDArray[np.uint8]]) -> bytes:
    """Return the JPEG file of slices (rows, columns, 3), each true to the millimetre."""
    parts = []
    for plane, pixels in slices.items():
        tile_mm = cutter.size_mm(plane)
        width = max(1, round(HEIGHT * tile_mm[0] / tile_mm[1]))
        parts.append(np.asarray(Image.fromarray(pixels).resize((width, HEIGHT), Image.Resampling.BOX)))
    return colour_jpeg(np.concatenate(parts, axis=1), QUALITY)


def _coloured(cutter: TissueCutter, plane: Plane, index: int) -> NDArray[np.uint8]:
    """Pixels (rows, columns, 3): the scan with the tissues' colours laid over it."""
    grey = cutter.grey(plane, index)[..., None].astype(np.float32)
    labels = cutter.label(plane, index)
    colours = np.zeros((256, 3), np.float32)
    for label in cutter.table:
        colours[label.index] = label.rgb
    share = np.where(labels[..., None] > 0, COLOUR_SHARE, 0)
    return ((1 - share) * grey + share * colours[labels]).astype(np.uint8)
