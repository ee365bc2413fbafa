"""Pictures of middle slices side by side, small enough for many on a page: of scans, means, differences."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.report.base.images import address, colour_jpeg
from medunsup.report.base.slices import AXIAL, CORONAL, PLANES, Plane, cut, positions
from medunsup.report.base.tiles import Cutter

HEIGHT = 96
QUALITY = 72
MORE, LESS = (230, 159, 0), (86, 180, 233)  # orange and blue of Okabe & Ito
FULL_AT = 99.5  # percentile of the values at which colours are full

Image3D = NDArray[np.float32]


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


def reach_of(images: list[Image3D]) -> float:
    """Return the size of values at which colours are full, one for all images; 1 if all are 0."""
    every = np.concatenate([np.abs(one[one != 0]) for one in images])
    return float(np.percentile(every, FULL_AT)) if every.size else 1.0


def in_grey(image: Image3D, affine: Affine, inside: NDArray[np.bool_]) -> str:
    """Return three middle slices of an image (I, J, K), cropped to `inside`, as a data address."""
    cutter = Cutter(Volume(image, affine), inside)
    shown = {plane: cutter.grey(plane, positions(cutter.mask, plane, 1)[0]) for plane in PLANES}
    grey = {plane: one[..., None].repeat(3, axis=2) for plane, one in shown.items()}
    return address(side_by_side(cutter, grey), "jpeg")


def in_two_colours(image: Image3D, affine: Affine, inside: NDArray[np.bool_], reach: float) -> str:
    """Return the same slices of signed values: orange above 0, blue below, full at `reach`."""
    cutter = Cutter(Volume(image, affine), inside)
    cropped = cutter.box.crop(image)
    coloured = {
        plane: _coloured(cropped, plane, positions(cutter.mask, plane, 1)[0], reach) for plane in PLANES
    }
    return address(side_by_side(cutter, coloured), "jpeg")


def _coloured(values: Image3D, plane: Plane, at: int, reach: float) -> NDArray[np.uint8]:
    share = np.clip(cut(values, plane, at) / reach, -1, 1)[..., None]
    colours = np.where(share > 0, np.array(MORE), np.array(LESS))
    return (np.abs(share) * colours).round().astype(np.uint8)
