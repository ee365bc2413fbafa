"""Working copies for registration and masking: block averages, crops and SimpleITK images in LPS."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.geometry import Affine, Grid
from medunsup.core.volume import Volume

WORK_SPACING_MM = 2.0
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def shrink(volume: Volume, spacing_mm: float = WORK_SPACING_MM) -> Volume:
    """Average blocks of voxels until the spacing comes near `spacing_mm`; no interpolation.

    Axes that are that coarse already stay as they are. The far edge is padded with its own values, so that
    the copy covers the whole field of view. The result is float32.
    """
    factors = [max(1, round(spacing_mm / spacing)) for spacing in volume.spacing_mm]
    data = volume.data
    for axis, factor in enumerate(factors):
        data = _block_mean(data, axis, factor)
    scale = np.diag([*factors, 1.0])
    scale[:3, 3] = [(factor - 1) / 2 for factor in factors]
    return Volume(data.astype(np.float32, copy=False), volume.affine @ scale, kind=volume.kind)


def _block_mean(data: NDArray[Any], axis: int, factor: int) -> NDArray[Any]:
    if factor == 1:
        return data
    short = -data.shape[axis] % factor
    if short:
        data = np.pad(data, [(0, short if n == axis else 0) for n in range(3)], mode="edge")
    blocks = [data[(slice(None),) * axis + (slice(n, None, factor),)] for n in range(factor)]
    total = blocks[0].astype(np.float32)
    for block in blocks[1:]:
        total += block
    total /= np.float32(factor)
    return total


def refine_thick_axes(volume: Volume, spacing_mm: float = WORK_SPACING_MM) -> Volume:
    """Interpolate linearly along axes coarser than 1.5 times `spacing_mm`, so that shapes can be smooth."""
    factors = [max(1, round(spacing / spacing_mm)) for spacing in volume.spacing_mm]
    if max(factors) == 1:
        return volume
    offset = np.array([0.5 / factor - 0.5 for factor in factors])
    data = ndimage.affine_transform(
        volume.data,
        [1 / factor for factor in factors],
        offset,
        output_shape=tuple(size * factor for size, factor in zip(volume.shape, factors, strict=True)),
        order=1,
        mode="nearest",
    )
    scale = np.diag([*(1 / np.array(factors)), 1.0])
    scale[:3, 3] = offset
    return Volume(data, volume.affine @ scale, kind=volume.kind)


def resampled(volume: Volume, grid: Grid, *, order: int = 1, outside: float = 0.0) -> NDArray[np.float32]:
    """Interpolate a map onto another grid of the same world; computed only where the map lies.

    `order` 0 is nearest neighbour, 1 linear. Voxels that the map does not cover become `outside`.
    """
    index = np.linalg.inv(volume.affine) @ grid.affine
    box = _box_within(volume.grid, grid)
    result = np.full(grid.shape, outside, dtype=np.float32)
    if box is None:
        return result
    offset = index[:3, :3] @ [part.start for part in box] + index[:3, 3]
    matrix = index[:3, :3]
    diagonal = np.diag(matrix)
    ndimage.affine_transform(
        volume.data.astype(np.float32, copy=False),
        diagonal if np.allclose(matrix, np.diag(diagonal), atol=1e-12) else matrix,
        offset,
        output=result[box],
        order=order,
        cval=outside,
    )
    return result


def _box_within(inner: Grid, outer: Grid) -> tuple[slice, slice, slice] | None:
    """Return the part of `outer`'s index space that `inner` covers; None if they do not meet."""
    corners = np.array(np.meshgrid(*[(-1, size) for size in inner.shape], indexing="ij")).reshape(3, -1)
    to_outer = np.linalg.inv(outer.affine) @ inner.affine
    index = to_outer[:3, :3] @ corners + to_outer[:3, 3:]
    starts = np.maximum(np.floor(index.min(axis=1)).astype(int), 0)
    stops = np.minimum(np.ceil(index.max(axis=1)).astype(int) + 1, outer.shape)
    if (starts >= stops).any():
        return None
    i, j, k = (slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True))
    return i, j, k


def bounding_box(mask: NDArray[np.bool_], margin_voxels: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """Return the box around True voxels with a margin, cut to the array. The mask must not be empty."""
    box = []
    for axis, margin in enumerate(margin_voxels):
        used = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        box.append(slice(max(int(used[0]) - margin, 0), min(int(used[-1]) + 1 + margin, mask.shape[axis])))
    return box[0], box[1], box[2]


def crop(volume: Volume, box: tuple[slice, slice, slice]) -> Volume:
    """Cut a box out of a volume, staying where it is in the world."""
    affine: Affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start for part in box]
    return Volume(volume.data[box], affine, kind=volume.kind)


def winsorized(volume: Volume, tails_percent: tuple[float, float] = (0.5, 99.5)) -> Volume:
    """Clip intensities to percentiles, so that a few bright vessels do not rule a histogram."""
    low, high = np.percentile(volume.data, tails_percent)
    return volume.like(np.clip(volume.data, low, high))


def centroid_mm(mask: Volume) -> NDArray[np.float64]:
    """World position of the centre of mass of a mask or map, (3,) in mm."""
    total = float(mask.data.sum(dtype=np.float64))
    index = np.array(
        [
            float((mask.data.sum(axis=tuple({0, 1, 2} - {axis}), dtype=np.float64) * np.arange(size)).sum())
            for axis, size in enumerate(mask.shape)
        ]
    )
    return np.asarray(mask.affine[:3, :3] @ (index / total) + mask.affine[:3, 3])


def to_sitk(volume: Volume, dtype: type = np.float32) -> Any:
    """Build the SimpleITK image of a volume: axes reversed, world turned from RAS to LPS."""
    import SimpleITK as sitk  # noqa: N813  (its own customary name)

    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.data.transpose(2, 1, 0), dtype=dtype))
    affine = LPS @ volume.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    return image
