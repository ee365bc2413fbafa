"""What a scanner saw of a head: a margin of one value, from padding or conforming, shows nothing.

How wide such a margin is may change nothing. So it is cut off, and put back in one width where the head ends
by itself; where it is cut flat, the field of view ends.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.volume import Volume

MARGIN_MM = 12.0
CUT_SHARE = (
    0.2  # of the largest section; a head that ends by itself ends in a smaller face, in thick slices too
)
PLACE_DIGITS = 3  # of a mm: margins of other widths leave the last digits of a place otherwise

Range = tuple[int, int]


@dataclass(frozen=True)
class View:
    """`image` shows what was seen of a scan; `first` is the scan's voxel where it begins.

    It is negative where a margin was put around what was seen.
    """

    image: Volume
    first: tuple[int, int, int]

    def take(self, block: NDArray[np.bool_]) -> Volume:
        """Cut the same view out of a mask (I, J, K) of the whole scan; nothing lies in a margin."""
        ranges = [(low, low + size) for low, size in zip(self.first, self.image.shape, strict=True)]
        return self.image.like(_within(block, ranges, fill=False), kind="mask")

    def put_back(self, mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Lay a mask of the view on the whole scan of `shape`, False elsewhere."""
        ranges = [(-low, size - low) for low, size in zip(self.first, shape, strict=True)]
        return _within(mask, ranges, fill=False)


def view_of_head(image: Volume) -> View:
    """Return the same view of a whole head, however much empty margin lies around it."""
    seen = seen_ranges(image.data)
    core = image.data[tuple(slice(*part) for part in seen)]
    level = _commonest(core)
    ranges = []
    for axis, (low, high) in enumerate(seen):
        area = np.count_nonzero(core != level, axis=tuple({0, 1, 2} - {axis}))
        width = int(np.ceil(MARGIN_MM / image.spacing_mm[axis]))
        first, last = (width if area[end] <= CUT_SHARE * area.max() else 0 for end in (0, -1))
        ranges.append((low - first, high + last))
    affine = image.affine.copy()
    affine[:3, 3] = np.round(affine[:3, 3] + affine[:3, :3] @ [low for low, _ in ranges], PLACE_DIGITS)
    i, j, k = (low for low, _ in ranges)
    return View(Volume(_within(image.data, ranges, fill=float(level)), affine, kind=image.kind), (i, j, k))


def seen_ranges(data: NDArray[np.float32]) -> list[Range]:
    """First and last + 1 plane along each axis of what is left when constant outer planes are cut off."""
    ranges = [(0, size) for size in data.shape]
    for axis in range(3):
        low, high = ranges[axis]
        here = [slice(*part) for part in ranges]
        while high - low > 1 and _is_constant(data, here, axis, low):
            low += 1
        while high - low > 1 and _is_constant(data, here, axis, high - 1):
            high -= 1
        ranges[axis] = (low, high)
    return ranges if min(high - low for low, high in ranges) > 1 else [(0, size) for size in data.shape]


def _is_constant(data: NDArray[np.float32], here: list[slice], axis: int, n: int) -> bool:
    plane = data[tuple(slice(n, n + 1) if at == axis else part for at, part in enumerate(here))]
    return bool((plane == plane.flat[0]).all())


def _commonest(core: NDArray[np.float32]) -> np.float32:
    """Return the commonest value of the faces: the air's, if that is one value."""
    faces = np.concatenate([core.take(n, axis).ravel() for axis in range(3) for n in (0, -1)])
    values, counts = np.unique(faces, return_counts=True)
    return np.float32(values[counts.argmax()])


def _within(data: NDArray[Any], ranges: list[Range], *, fill: float) -> NDArray[Any]:
    """Cut the ranges out of an array, and fill where they reach beyond it."""
    inside = tuple(
        slice(max(low, 0), min(high, size)) for (low, high), size in zip(ranges, data.shape, strict=True)
    )
    beyond = [
        (max(-low, 0), max(high - size, 0)) for (low, high), size in zip(ranges, data.shape, strict=True)
    ]
    block = data[inside]
    return np.pad(block, beyond, constant_values=fill) if np.any(beyond) else block
