"""One scan of an evaluation as a picture: the slice as it is, and what lies there beside what was found."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.report.base.heatmap import heat_levels, with_heat
from medunsup.report.base.images import colour_picture
from medunsup.report.base.slices import Plane, cut
from medunsup.report.base.tiles import Cutter
from medunsup.report.detect.slices import FOUND
from medunsup.report.segment.mosaic import outline
from medunsup.report.segment.thumbnail import planes_shown

HEIGHT, QUALITY, TEXT_SIZE = 320, 80, 18
TRUTH = Label(1, "truth", "lesion by the expert's mask", (255, 255, 255))
LINES = (TRUTH, FOUND)

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]


def case_picture(
    image: Volume, brain: Mask, calibrated: NDArray[np.float32], marked: Mask, truth: Mask | None
) -> tuple[str, str]:
    """Draw an axial and a coronal slice, each alone and with map, findings and true lesions over it.

    Returns the data address of one picture, and in words where the slices lie. All arrays are (I, J, K) on
    the image's grid; `calibrated` is -log10 of the share of healthy voxels that score as much. Slices go
    through the thickest of the true lesions, else of what is `marked`, of what is rare, or of the brain.
    """
    cutter = _CaseCutter(image, brain, calibrated, marked, truth)
    planes = planes_shown(cutter)
    halves = [half for plane in planes for half in cutter.pair(plane)]
    where = ", ".join(f"{plane.name} at {cutter.tell(plane)}" for plane in planes)
    return colour_picture(np.concatenate(halves, axis=1), QUALITY), where


class _CaseCutter(Cutter):
    """Cuts slices out of one scan with its map, cropped to the brain and its lesions."""

    def __init__(
        self, image: Volume, brain: Mask, calibrated: NDArray[np.float32], marked: Mask, truth: Mask | None
    ) -> None:
        super().__init__(image, brain if truth is None else brain | truth)
        self.heat = heat_levels(self.box.crop(np.where(brain, calibrated, 0)))
        self.marked = self.box.crop(marked)
        self.truth = np.zeros_like(self.mask) if truth is None else self.box.crop(truth)
        candidates = (self.truth, self.marked, self.heat)
        weights = next((part for part in candidates if part.any()), self.mask)
        self.shown = {plane: int(_sums(weights, plane).argmax()) for plane in self.planes}

    def pair(self, plane: Plane) -> tuple[Pixels, Pixels]:
        """Cut the scan alone, and with all that is drawn over it: (HEIGHT, columns, 3) each."""
        index = self.shown[plane]
        grey = self.sized(plane, self.grey(plane, index), Image.Resampling.BICUBIC)
        drawn = with_heat(grey, self.sized(plane, cut(self.heat, plane, index), Image.Resampling.NEAREST))
        for label, part in ((FOUND, self.marked), (TRUTH, self.truth)):
            filled = np.where(cut(part, plane, index), label.index, 0).astype(np.uint8)
            line = outline(self.sized(plane, filled, Image.Resampling.NEAREST), LINES) > 0
            drawn[ndimage.binary_dilation(line, iterations=2)] = (
                0  # a rim, to be seen on white and on colours
            )
            drawn[ndimage.binary_dilation(line)] = label.rgb
        return _lettered(grey[..., None].repeat(3, axis=2), plane), _lettered(drawn, plane)

    def sized(self, plane: Plane, pixels: Pixels, resampling: Image.Resampling) -> Pixels:
        """Bring a slice to `HEIGHT` rows, true to the millimetre."""
        width_mm, height_mm = self.size_mm(plane)
        size = max(1, round(HEIGHT * width_mm / height_mm)), HEIGHT
        return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, resampling))

    def tell(self, plane: Plane) -> str:
        """Name the place of the slice shown."""
        return self.plain_tile(plane, self.shown[plane], "").coordinate


def _lettered(pixels: Pixels, plane: Plane) -> Pixels:
    """Write the letters of the patient's sides into the upper corners."""
    picture = Image.fromarray(pixels)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT_SIZE)
    for letter, x, anchor in ((plane.left, 4, "la"), (plane.right, picture.width - 4, "ra")):
        pen.text((x, 3), letter, "white", font=font, anchor=anchor, stroke_width=1, stroke_fill="black")
    return np.asarray(picture)


def _sums(weights: NDArray, plane: Plane) -> NDArray[np.float64]:
    return weights.sum(axis=tuple(axis for axis in range(3) if axis != plane.axis), dtype=float)
