"""A picture small enough for a table of 500 scans: two middle slices, tissues in colour."""

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.slices import Plane, positions
from medunsup.report.base.thumbnail import planes_shown, side_by_side
from medunsup.report.segment.mosaic import TissueCutter
from medunsup.tissue.result import TissueResult

COLOUR_SHARE = 0.45


def thumbnail(result: TissueResult) -> bytes:
    """Return the JPEG file of an axial and a coronal slice side by side."""
    cutter = TissueCutter(result)
    middles = {plane: positions(cutter.mask, plane, 1)[0] for plane in planes_shown(cutter)}
    return side_by_side(cutter, {plane: _coloured(cutter, plane, index) for plane, index in middles.items()})


def _coloured(cutter: TissueCutter, plane: Plane, index: int) -> NDArray[np.uint8]:
    """Pixels (rows, columns, 3): the scan with the tissues' colours laid over it."""
    grey = cutter.grey(plane, index)[..., None].astype(np.float32)
    labels = cutter.label(plane, index)
    colours = np.zeros((256, 3), np.float32)
    for label in cutter.table:
        colours[label.index] = label.rgb
    share = np.where(labels[..., None] > 0, COLOUR_SHARE, 0)
    return ((1 - share) * grey + share * colours[labels]).astype(np.uint8)
