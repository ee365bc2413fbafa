"""A picture small enough for a table of 500 scans: what was found, or where was looked."""

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.result import AnomalyResult
from medunsup.report.base.heatmap import with_heat
from medunsup.report.base.outline import outline
from medunsup.report.base.slices import Plane, cut, positions
from medunsup.report.base.thumbnail import planes_shown, side_by_side
from medunsup.report.detect.slices import BRAIN, AnomalyCutter, first_point


def thumbnail(result: AnomalyResult) -> bytes:
    """Return the JPEG file of two slices through the largest finding, with the map.

    A flagged scan's map means nothing: its middle is shown, with the outline of the brain mask.
    """
    cutter = AnomalyCutter(result)
    planes = planes_shown(cutter)
    if result.flags:
        middles = {plane: positions(cutter.mask, plane, 1)[0] for plane in planes}
        return side_by_side(cutter, {plane: _with_brain(cutter, plane, n) for plane, n in middles.items()})
    where = cutter.index_of(first_point(result))
    return side_by_side(cutter, {plane: _with_map(cutter, plane, where[plane.axis]) for plane in planes})


def _with_map(cutter: AnomalyCutter, plane: Plane, index: int) -> NDArray[np.uint8]:
    return with_heat(cutter.grey(plane, index), cut(cutter.heat, plane, index))


def _with_brain(cutter: AnomalyCutter, plane: Plane, index: int) -> NDArray[np.uint8]:
    grey = cutter.grey(plane, index)
    brain = outline(cut(cutter.mask, plane, index).astype(np.uint8), (BRAIN,)) > 0
    return np.where(brain[..., None], np.array(BRAIN.rgb, np.uint8), grey[..., None])
