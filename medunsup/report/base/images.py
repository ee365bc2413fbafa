"""Arrays become data addresses of pictures: the same pixels always give the same characters."""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medunsup.core.labels import Label

COMPRESSION = 6
PICTURE_BYTES = 3_500_000  # of all on one page of many scans, so that it stays below 5 MB
QUALITY = 90
# Nine anchors of cividis (Nuñez, Anderton and Renslow, 2018).
CIVIDIS = (
    (0, 34, 78),
    (26, 56, 111),
    (67, 78, 108),
    (97, 101, 111),
    (125, 124, 120),
    (155, 148, 118),
    (188, 174, 108),
    (222, 201, 88),
    (254, 232, 56),
)


def grey_picture(pixels: NDArray[np.uint8]) -> str:
    """Return the data address of a greyscale picture, `pixels` (rows, columns); JPEG, a third of a PNG."""
    return _address(Image.fromarray(np.ascontiguousarray(pixels)), "jpeg", quality=QUALITY)


def colour_picture(pixels: NDArray[np.uint8], quality: int) -> str:
    """Return the data address of a colour picture, `pixels` (rows, columns, 3), as JPEG."""
    return address(colour_jpeg(pixels, quality), "jpeg")


def colour_jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """Return the JPEG file of a colour picture, `pixels` (rows, columns, 3)."""
    return _file(Image.fromarray(np.ascontiguousarray(pixels)), "jpeg", quality=quality)


def label_png(pixels: NDArray[np.uint8], labels: tuple[Label, ...]) -> str:
    """Return the data address of a picture of `Label.index`, `pixels` (rows, columns); 0 is see-through."""
    palette = np.zeros((256, 3), np.uint8)
    for label in labels:
        palette[label.index] = label.rgb
    return palette_png(pixels, palette)


def palette_png(
    pixels: NDArray[np.uint8], palette: NDArray[np.uint8], opacity: NDArray[np.uint8] | None = None
) -> str:
    """Return the data address of an indexed picture with `palette` (256, 3).

    Index 0 is see-through, or each index as `opacity` (256,) says.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels), mode="P")
    picture.putpalette(palette.tobytes())
    see_through = 0 if opacity is None else opacity.tobytes()
    return _address(picture, "png", transparency=see_through, compress_level=COMPRESSION)


def doubt_palette() -> NDArray[np.uint8]:
    """Make the colours (256, 3) for uncertainty: dark blue to yellow, safe for the colour-blind."""
    places = np.linspace(0, 255, len(CIVIDIS))
    channels = [np.interp(np.arange(256), places, [anchor[n] for anchor in CIVIDIS]) for n in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def as_grey(data: NDArray[np.floating], window: tuple[float, float]) -> NDArray[np.uint8]:
    """Map intensities to 8 bits, `window` to black and white."""
    low, high = window
    scaled = np.subtract(data, np.float32(low), dtype=np.float32)
    scaled *= np.float32(255 / max(high - low, 1e-6))
    return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


def address(file: bytes, kind: str) -> str:
    """Return the data address of a picture's file, so that a page holds it itself."""
    return f"data:image/{kind};base64," + b64encode(file).decode("ascii")


def those_that_fit(pictures: Sequence[str]) -> list[str]:
    """Leave out pictures from where they would make the page of all scans too large."""
    room = accumulate(map(len, pictures))
    return [item if used <= PICTURE_BYTES else "" for item, used in zip(pictures, room, strict=True)]


def _address(picture: Image.Image, kind: str, **options: int | bytes) -> str:
    return address(_file(picture, kind, **options), kind)


def _file(picture: Image.Image, kind: str, **options: int | bytes) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
