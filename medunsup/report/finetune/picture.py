"""One test scan as a picture: the scan, the true labels and the predicted ones, side by side."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.report.base.images import colour_picture
from medunsup.report.base.slices import cut
from medunsup.report.base.thumbnail import planes_shown
from medunsup.report.base.tiles import Cutter

HEIGHT, QUALITY, OPACITY = 260, 80, 0.55

Classes = NDArray[np.integer]
Pixels = NDArray[np.uint8]


def scan_picture(
    image: Volume, brain: NDArray[np.bool_], truth: Classes, predicted: Classes, labels: Sequence[Label]
) -> str:
    """Draw an axial and a coronal slice through the most labels; returns a data address.

    All arrays are (I, J, K) on the image's grid; classes are numbered from 1 in the order of `labels`.
    """
    shown = truth > 0
    cutter = Cutter(image, brain | shown)
    colours = np.array([(0, 0, 0), *(label.rgb for label in labels)], dtype=np.float32)
    inside = cutter.box.crop(shown if shown.any() else brain)
    panels: list[Pixels] = []
    for plane in planes_shown(cutter):
        others = tuple(axis for axis in range(3) if axis != plane.axis)
        index = int(inside.sum(axis=others).argmax())
        grey = cutter.grey(plane, index)
        size = cutter.size_mm(plane)
        panels.append(_sized(grey[..., None].repeat(3, axis=2), size))
        for classes in (truth, predicted):
            here = cut(cutter.box.crop(classes), plane, index)
            panels.append(_sized(_coloured(grey, here, colours), size))
    return colour_picture(np.concatenate(panels, axis=1), QUALITY)


def _coloured(grey: Pixels, classes: Classes, colours: NDArray[np.float32]) -> Pixels:
    share = np.where(classes > 0, OPACITY, 0)[..., None]
    return np.asarray((1 - share) * grey[..., None] + share * colours[classes], dtype=np.uint8)


def _sized(pixels: Pixels, size_mm: tuple[float, float]) -> Pixels:
    """Bring a slice to `HEIGHT` rows, true to the millimetre."""
    width_mm, height_mm = size_mm
    size = max(1, round(HEIGHT * width_mm / height_mm)), HEIGHT
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.NEAREST))
