"""One case of an evaluation as a picture: each slice as it is, and what lies there beside what was found."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from medunsup.core.labels import Label
from medunsup.report.base.heatmap import with_heat
from medunsup.report.base.images import colour_picture
from medunsup.report.base.outline import FOUND, outline
from medunsup.report.base.slices import Plane
from medunsup.report.base.tiles import coordinate_words
from medunsup.report.evaluate.case_slices import CaseSlice

HEIGHT, QUALITY, TEXT_SIZE = 320, 80, 18
TRUTH = Label(1, "truth", "lesion by the expert's mask", (255, 255, 255))
LINES = (TRUTH, FOUND)

Pixels = NDArray[np.uint8]


def case_picture(slices: Sequence[CaseSlice]) -> str:
    """Draw each slice alone, and with map, findings and true lesions over it; returns a data address."""
    halves = [half for one in slices for half in _pair(one)]
    return colour_picture(np.concatenate(halves, axis=1), QUALITY)


def where(slices: Sequence[CaseSlice]) -> str:
    """Say where the slices lie."""
    return ", ".join(f"{one.plane.name} at {coordinate_words(one.plane, one.position_mm)}" for one in slices)


def _pair(one: CaseSlice) -> tuple[Pixels, Pixels]:
    """Draw the scan alone, and with all that lies over it: (HEIGHT, columns, 3) each."""
    grey = _sized(one, one.grey, Image.Resampling.BICUBIC)
    drawn = with_heat(grey, _sized(one, one.heat, Image.Resampling.NEAREST))
    for label, part in ((FOUND, one.marked), (TRUTH, one.truth)):
        line = outline(_sized(one, part * np.uint8(label.index), Image.Resampling.NEAREST), LINES) > 0
        drawn[ndimage.binary_dilation(line, iterations=2)] = 0  # a border, to be seen on white and on colours
        drawn[ndimage.binary_dilation(line)] = label.rgb
    return _lettered(grey[..., None].repeat(3, axis=2), one.plane), _lettered(drawn, one.plane)


def _sized(one: CaseSlice, pixels: Pixels, resampling: Image.Resampling) -> Pixels:
    """Bring a slice to `HEIGHT` rows, true to the millimetre."""
    width_mm, height_mm = one.size_mm
    size = max(1, round(HEIGHT * width_mm / height_mm)), HEIGHT
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, resampling))


def _lettered(pixels: Pixels, plane: Plane) -> Pixels:
    """Write the letters of the patient's sides into the upper corners."""
    picture = Image.fromarray(pixels)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT_SIZE)
    for letter, x, anchor in ((plane.left, 4, "la"), (plane.right, picture.width - 4, "ra")):
        pen.text((x, 3), letter, "white", font=font, anchor=anchor, stroke_width=1, stroke_fill="black")
    return np.asarray(picture)
