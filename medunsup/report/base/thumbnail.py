"""A picture small enough for a table of 500 scans: two middle slices side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medunsup.report.base.images import colour_jpeg
from medunsup.report.base.slices import AXIAL, CORONAL, Plane
from medunsup.report.base.tiles import Cutter

HEIGHT = 96
QUALITY = 72


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
