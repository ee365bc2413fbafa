"""Small pictures of cards: three planes of a scan with what lies over it, and rows as dots."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.report.base.images import colour_picture, doubt_palette
from medunsup.report.base.outline import outline
from medunsup.report.base.scatter_plot.palette import OKABE_ITO, UNKNOWN
from medunsup.report.base.slices import cut, positions
from medunsup.report.base.tiles import Cutter

HEIGHT = 170  # pixels of the tallest plane
QUALITY = 85
SIDE = 240.0
MOST_DOTS = 600


def mosaic(
    image: Volume,
    mask: NDArray[np.bool_],
    *,
    labels: NDArray[np.uint8] | None = None,
    table: tuple[Label, ...] = (),
    heat: NDArray[np.float32] | None = None,
) -> Markup:
    """Draw three planes through the middle of `mask` (I, J, K), or of what `labels` mark.

    Labels of `table` are outlined; `heat`, in [0, 1], shines through. Empty for a volume without voxels.
    """
    if not image.data.size:
        return Markup()
    grey = image.like(np.nan_to_num(image.data.astype(np.float32)), kind="image")
    cutter = Cutter(grey, mask)
    middle = cutter.mask if labels is None or not labels.any() else cutter.box.crop(labels) > 0
    tallest = max(cutter.size_mm(plane)[1] for plane in cutter.planes)
    tiles = []
    for plane in cutter.planes:
        (index,) = positions(middle, plane, 1)
        size = (_pixels(cutter.size_mm(plane)[0], tallest), _pixels(cutter.size_mm(plane)[1], tallest))
        pixels = np.repeat(_resized(cutter.grey(plane, index), size)[..., None], 3, axis=2)
        if heat is not None:
            pixels = _warm(pixels, _resized(_levels(cut(cutter.box.crop(heat), plane, index)), size))
        if labels is not None:
            pixels = _outlined(pixels, _nearest(cut(cutter.box.crop(labels), plane, index), size), table)
        tiles.append(_centred(pixels))
    return _picture(np.concatenate(tiles, axis=1), [plane.name for plane in cutter.planes])


def dots(places: NDArray[np.float64], groups: NDArray[np.int64] | None = None) -> Markup:
    """Draw rows (N, q) by their first two axes, coloured by group; of many rows some."""
    if len(places) == 0:
        return Markup()
    points = np.column_stack([places, np.zeros(len(places))])[:, :2]
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), MOST_DOTS)).astype(int))
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (SIDE - 12) / max(float((high - low).max()), 1e-12)
    at = (points - (low + high) / 2) * [scale, -scale] + SIDE / 2
    of = np.zeros(len(points), int) if groups is None else groups
    colour = [UNKNOWN if n < 0 else OKABE_ITO[n % len(OKABE_ITO)] for n in of]
    circles = Markup().join(
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.6" fill="{}" fill-opacity=".75"/>').format(
            *at[n], colour[n]
        )
        for n in kept
    )
    size = '<svg width="{0:.0f}" height="{0:.0f}" style="display:block" '
    drawing = Markup(size + 'role="img" aria-label="{1} rows as dots">{2}</svg>')
    return drawing.format(SIDE, len(points), circles)


def _pixels(length_mm: float, tallest_mm: float) -> int:
    return max(1, round(HEIGHT * length_mm / tallest_mm))


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BILINEAR))


def _nearest(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.NEAREST))


def _levels(share: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)


def _warm(pixels: NDArray[np.uint8], level: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Let a map shine through: the stronger, the more of its colour."""
    opacity = (level / 255 * 0.8)[..., None]
    return (pixels * (1 - opacity) + doubt_palette()[level] * opacity).astype(np.uint8)


def _outlined(
    pixels: NDArray[np.uint8], labels: NDArray[np.uint8], table: tuple[Label, ...]
) -> NDArray[np.uint8]:
    edge = outline(labels, table)
    drawn = pixels.copy()
    for label in table:
        drawn[edge == label.index] = label.rgb
    return drawn


def _centred(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put a tile in the middle of a black one of full height."""
    above = (HEIGHT - len(pixels)) // 2
    return np.pad(pixels, ((above, HEIGHT - len(pixels) - above), (2, 2), (0, 0)))


def _picture(pixels: NDArray[np.uint8], planes: Sequence[str]) -> Markup:
    about = f"{', '.join(planes)} slice; the patient's left is at the right of the picture"
    tag = '<img src="{}" width="{}" height="{}" alt="{}" style="display:block;max-width:100%;margin:.35em 0">'
    return Markup(tag).format(colour_picture(pixels, QUALITY), pixels.shape[1], pixels.shape[0], about)


def inside(volume: Volume) -> NDArray[np.bool_]:
    """Where a volume holds something other than its darkest value: what a picture is cropped to."""
    data = np.nan_to_num(volume.data.astype(np.float32))
    return np.asarray(data > data.min()) if data.size else np.zeros(volume.shape, bool)
