"""Colours of the calibrated map: see-through where a voxel is ordinary, from purple to yellow where rare."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.images import palette_png

# The map is -log10 of a share of healthy voxels: one in ten is the first colour, one in 100,000 the last.
FLOOR, SOLID, CEILING = 1.0, 3.0, 5.0
MOST_OPAQUE = 0.9
STEP = 4  # 64 levels of a map are enough for the eye and make small pictures
# The upper part of inferno (Smith and van der Walt, matplotlib): readable without red or green cones.
ANCHORS = ((101, 21, 110), (159, 42, 99), (212, 72, 66), (245, 125, 21), (250, 193, 39), (252, 255, 164))


def heat_levels(calibrated: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Map 0 to `CEILING` onto 0 to 255, in steps of `STEP`."""
    scaled = np.clip(calibrated * np.float32(255 / CEILING), 0, 255).astype(np.uint8)
    return scaled // np.uint8(STEP) * np.uint8(STEP)


def heat_png(levels: NDArray[np.uint8]) -> str:
    """Return the data address of a see-through picture of levels (rows, columns)."""
    return palette_png(levels, heat_palette(), heat_opacity())


def heat_palette() -> NDArray[np.uint8]:
    """Colours (256, 3) of the levels; those below `FLOOR` are never seen."""
    places = np.linspace(_level(FLOOR), 255, len(ANCHORS))
    channels = [np.interp(np.arange(256), places, [anchor[n] for anchor in ANCHORS]) for n in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def heat_opacity() -> NDArray[np.uint8]:
    """Opacity (256,) of the levels, rising from `FLOOR` to `SOLID`: the less rare is faint, not hidden."""
    share = np.interp(np.arange(256), [_level(FLOOR), _level(SOLID)], [0, MOST_OPAQUE])
    return (255 * share).round().astype(np.uint8)


def with_heat(grey: NDArray[np.uint8], levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay the colours of levels over a grey picture, both (rows, columns); (rows, columns, 3) comes out."""
    share = (heat_opacity()[levels] / 255)[..., None]
    return ((1 - share) * grey[..., None] + share * heat_palette()[levels]).astype(np.uint8)


def heat_gradient() -> str:
    """Write the colours from `FLOOR` to `CEILING` as stops of a CSS gradient, see-through as on the scan."""
    return ", ".join(
        f"rgb({red} {green} {blue} / {share:.2f})"
        for (red, green, blue), share in zip(ANCHORS, _opacity_of_anchors() / 255, strict=True)
    )


def heat_layer() -> dict[str, Any]:
    """Tell niivue the same colours for a map of levels; below `SOLID` they fade there, too."""
    places = np.linspace(_level(FLOOR), 255, len(ANCHORS)).round().astype(int)
    table: dict[str, Any] = {
        channel: [ANCHORS[0][n], *(anchor[n] for anchor in ANCHORS)] for n, channel in enumerate("RGB")
    }
    table |= {"A": [0, 0, *[255] * (len(ANCHORS) - 1)], "I": [0, *places.tolist()]}
    colours = {"colours": table, "low": round(_level(SOLID)), "fades": True}
    return colours | {"scale": CEILING / 255, "digits": 1, "unit": "", "ends_open": True}


def _opacity_of_anchors() -> NDArray[np.uint8]:
    return heat_opacity()[np.linspace(_level(FLOOR), 255, len(ANCHORS)).astype(int)]


def _level(value: float) -> float:
    return 255 * value / CEILING
