"""Shapes in millimetres: opening, closing and distances that know the voxel spacing; and their overlap."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.preprocess.geometry.resample import bounding_box

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]
FAR_MM = 1000.0


def dice(first: Mask, second: Mask) -> float:
    """Twice the shared voxels over the sum of both, in [0, 1]; 0 if both are empty."""
    return float(2 * (first & second).sum() / max(int(first.sum()) + int(second.sum()), 1))


def signed_distance(mask: Mask, spacing_mm: Spacing) -> NDArray[np.float32]:
    """Distance to the mask's boundary in mm, positive inside, negative outside; float32."""
    return depth(mask, spacing_mm) - depth(~mask, spacing_mm)


def depth(mask: Mask, spacing_mm: Spacing) -> NDArray[np.float32]:
    """Distance to the nearest voxel outside the mask in mm, 0 outside, FAR_MM if nothing is outside."""
    if mask.all():
        return np.full(mask.shape, FAR_MM, dtype=np.float32)
    found = np.zeros(mask.shape, dtype=np.float32)
    if mask.any():
        box = bounding_box(mask, (1, 1, 1))  # what lies farther out is no voxel's nearest
        found[box] = ndimage.distance_transform_edt(mask[box], sampling=spacing_mm)
    return found


def dilate(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Add everything within `radius_mm` of the mask."""
    wide = mask.copy()
    if mask.any():
        i, j, k = (int(radius_mm / spacing) + 1 for spacing in spacing_mm)
        box = bounding_box(mask, (i, j, k))
        wide[box] = depth(~mask[box], spacing_mm) <= radius_mm
    return wide


def erode(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Remove everything within `radius_mm` of the outside; the array's edge is not outside."""
    padded = np.pad(mask, 1, mode="edge")
    return depth(padded, spacing_mm)[1:-1, 1:-1, 1:-1] > radius_mm


def opening(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Cut bridges and spikes thinner than twice the radius."""
    core = erode(mask, radius_mm, spacing_mm)
    return dilate(core, radius_mm, spacing_mm) & mask if core.any() else core


def closing(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Fill clefts thinner than twice the radius."""
    pad = [int(np.ceil(radius_mm / spacing)) + 1 for spacing in spacing_mm]
    wide = dilate(np.pad(mask, [(width, width) for width in pad]), radius_mm, spacing_mm)
    closed = depth(wide, spacing_mm) > radius_mm
    return np.asarray(closed[tuple(slice(width, -width) for width in pad)] | mask)


def largest_component(mask: Mask) -> Mask:
    """Keep the largest connected component; an empty mask stays empty."""
    labels, n_labels = ndimage.label(mask)
    if n_labels <= 1:
        return mask
    return np.asarray(labels == 1 + np.argmax(np.bincount(labels.ravel())[1:]))


def fill_holes(mask: Mask) -> Mask:
    """Fill what the mask encloses on all sides."""
    if not mask.any():
        return mask.copy()
    box = bounding_box(mask, (0, 0, 0))
    labels, n_labels = ndimage.label(~mask[box])
    is_open = np.zeros(n_labels + 1, dtype=bool)
    for axis in range(3):
        is_open[np.take(labels, [0, -1], axis)] = True
    is_open[0] = False  # the mask itself
    filled = mask.copy()
    filled[box] = ~is_open[labels]
    return filled


def fill_slice_holes(mask: Mask) -> Mask:
    """Fill what the mask encloses within any slice along any axis."""
    filled = mask.copy()
    for axis in range(3):
        flat = ndimage.generate_binary_structure(2, 1)
        within_slices = np.expand_dims(flat, axis)
        filled |= ndimage.binary_fill_holes(filled, structure=within_slices)
    return filled
