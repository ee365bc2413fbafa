"""Which voxels are looked at together: one every 2 mm for the fit, then all of them slab by slab."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.errors import InputError
from medunsup.tissue.base import TissueInput
from medunsup.tissue.em.bias_field import CoarseGrid

FIT_SPACING_MM = 2.0
MIN_FIT_VOXELS = 20_000  # sparser than this, a grid says too little
MIN_VOXELS_A_CLASS = 10
SLAB_VOXELS = 16_000_000  # bounds the memory of labelling, whatever the scan's size

ALL = slice(None)


@dataclass(frozen=True)
class VoxelGrid:
    """Some voxels of a scan, as a scan of their own; its arrays are views.

    `cells` is the bias field's coarse grid as seen from here. Of the first axis `own` is what this grid
    answers for, the rest only lends neighbours; `place` is where `own` lies in the whole scan.
    """

    data: TissueInput
    cells: CoarseGrid
    own: slice
    place: slice


def thinned(data: TissueInput) -> VoxelGrid:
    """Take one voxel about every 2 mm, or all where that would leave too few."""
    steps = tuple(max(1, round(FIT_SPACING_MM / length)) for length in data.spacing_mm)
    every = tuple(slice(step // 2, None, step) for step in steps)
    if np.count_nonzero(data.mask[every]) < MIN_FIT_VOXELS:
        steps, every = (1, 1, 1), (ALL, ALL, ALL)
    cells = CoarseGrid.over(
        data.mask.shape, data.spacing_mm, data.mask[every].shape, [step // 2 for step in steps], steps
    )
    a, b, c = (length * step for length, step in zip(data.spacing_mm, steps, strict=True))
    return VoxelGrid(replace(_cut(data, every), spacing_mm=(a, b, c)), cells, own=ALL, place=ALL)


def slabs(data: TissueInput, halo: int) -> Iterator[VoxelGrid]:
    """Cut the scan along its first axis, each slab with `halo` voxels of its neighbours on either side."""
    length, *face = data.mask.shape
    thickness = max(2, SLAB_VOXELS // int(np.prod(face)) - 2 * halo)
    for start in range(0, length, thickness):
        stop = min(start + thickness, length)
        # An even start keeps the checkerboard of the whole scan.
        first, last = max(start - halo, 0) // 2 * 2, min(stop + halo, length)
        part = _cut(data, (slice(first, last), ALL, ALL))
        cells = CoarseGrid.over(data.mask.shape, data.spacing_mm, part.mask.shape, (first, 0, 0))
        yield VoxelGrid(part, cells, slice(start - first, stop - first), slice(start, stop))
        if stop == length:
            return


def too_bright(intensity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Voxels of `intensity` (C, I, J, K) beyond the scale, and their neighbours that may share in them."""
    return np.asarray(ndimage.binary_dilation((intensity > 1).any(axis=0)), dtype=bool)


def on_box(values: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Put `values` (..., N) of the voxels in `mask` back on its box, zero elsewhere."""
    box = np.zeros((*values.shape[:-1], *mask.shape), dtype=values.dtype)
    box[..., mask] = values
    return box


def check_intensities(data: TissueInput) -> None:
    """Refuse what cannot be segmented.

    Raises InputError if the mask holds too few voxels, or a contrast is constant or not finite there.
    """
    n_voxels, needed = np.count_nonzero(data.mask), MIN_VOXELS_A_CLASS * len(data.labels)
    if n_voxels < needed:
        raise InputError(
            f"The mask holds {n_voxels} voxels; {len(data.labels)} classes need {needed} at least. "
            "Give a mask that covers the brain."
        )
    for contrast, image in zip(data.contrasts, data.intensity, strict=True):
        values = image[data.mask]
        if not np.isfinite(values).all():
            raise InputError(f"{contrast}: the intensities inside the mask are not all finite numbers.")
        if values.min() == values.max():
            raise InputError(f"{contrast}: all intensities inside the mask are equal; nothing to segment.")


def _cut(data: TissueInput, part: tuple[slice, ...]) -> TissueInput:
    return replace(
        data,
        intensity=data.intensity[(ALL, *part)],
        mask=data.mask[part],
        priors=None if data.priors is None else data.priors[(ALL, *part)],
    )
