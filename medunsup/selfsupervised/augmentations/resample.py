"""Values and masks taken from other places of the same scan, interpolated once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from medunsup.selfsupervised.augmentations.along_axes import along_axes
from medunsup.training.learner import View


@dataclass(frozen=True)
class Affine:
    """Where voxels of a view come from: `centre` + `linear` @ (voxel - middle of the view).

    `centre` (B, D) and `linear` (B, D, D) are in voxels, whose centres are whole numbers; D is 2 or 3.
    """

    linear: Tensor
    centre: Tensor


def resample(
    view: View, affine: Affine, size: tuple[int, ...], *, smoothing: Sequence[Tensor] | None = None
) -> View:
    """Interpolate values linearly and masks by the nearest voxel, on `size` voxels.

    What lies outside the scan is outside the mask and repeats the scan's edge. Nothing is smoothed before it
    is made smaller. `smoothing` (B, side, side) for each axis is applied to the values afterwards; for items
    without rotation it costs nothing, as it joins the interpolation.
    """
    smoothing = [] if smoothing is None else smoothing
    turned = affine.linear.flatten(1).count_nonzero(1) > len(size)
    kinds = [(turned, _voxel_by_voxel), (~turned, _axis_by_axis)]
    kinds = [(rows, way) for rows, way in kinds if bool(rows.any())]
    if len(kinds) == 1:
        return kinds[0][1](view, affine, size, smoothing)
    values = view.values.new_empty((*view.values.shape[:2], *size))
    masks = view.masks.new_empty((len(values), 1, *size))
    for rows, way in kinds:
        part = Affine(affine.linear[rows], affine.centre[rows])
        items = View(view.values[rows], view.masks[rows])
        done = way(items, part, size, [matrix[rows] for matrix in smoothing])
        values[rows], masks[rows] = done.values, done.masks
    return View(values, masks)


def _axis_by_axis(view: View, affine: Affine, size: tuple[int, ...], smoothing: Sequence[Tensor]) -> View:
    """Resample without rotation: each axis on its own, and only of what is shown, which is faster."""
    matrices, masks, values = [], view.masks, view.values
    for axis, (new, side) in enumerate(zip(size, view.values.shape[2:], strict=True)):
        places = affine.centre[:, axis, None] + affine.linear[:, axis, axis, None] * _offsets(new, affine)
        masks = _nearest(masks, places, axis + 2)
        places = places.clamp(0, side - 1)
        first, last = int(places.min().floor()), int(places.max().ceil())
        values = values.narrow(axis + 2, first, last + 1 - first)
        distance = (places[:, :, None] - torch.arange(first, last + 1, device=places.device)).abs_()
        matrix = (1 - distance).clamp_min_(0)
        matrices.append(smoothing[axis] @ matrix if smoothing else matrix)
    return View(along_axes(values, matrices), masks)


def _nearest(masks: Tensor, places: Tensor, axis: int) -> Tensor:
    """Take masks (B, 1, ...) at the voxels of one axis next to `places` (B, new side)."""
    side, shape = masks.shape[axis], list(masks.shape)
    shape[axis] = places.shape[1]
    index = places.round().long()
    is_inside = (index >= 0) & (index < side)
    index = index.clamp_(0, side - 1)
    across = [n if at in (0, axis) else 1 for at, n in enumerate(shape)]
    if len(masks) == 1 and axis < masks.ndim - 1:  # whole rows, which is faster
        masks = masks.index_select(axis, index[0])
    else:
        masks = masks.gather(axis, index.view(across).expand(shape))
    return masks if bool(is_inside.all()) else masks & is_inside.view(across)


def _voxel_by_voxel(view: View, affine: Affine, size: tuple[int, ...], smoothing: Sequence[Tensor]) -> View:
    """Resample with rotation."""
    sides, n_axes = view.values.shape[2:], len(size)
    offsets = [
        _offsets(new, affine).view([-1 if one == axis else 1 for one in range(n_axes)])
        for axis, new in enumerate(size)
    ]
    grid = view.values.new_empty((len(view.values), *size, n_axes))
    for axis, side in enumerate(sides):
        place = affine.centre[:, axis].view(-1, *[1] * n_axes)
        for other, offset in enumerate(offsets):
            place = place + affine.linear[:, axis, other].view(-1, *[1] * n_axes) * offset
        grid[..., n_axes - 1 - axis] = (2 * place + 1) / side - 1
    values = functional.grid_sample(view.values, grid, padding_mode="border", align_corners=False)
    masks = functional.grid_sample(
        view.masks.to(values.dtype), grid, mode="nearest", padding_mode="zeros", align_corners=False
    )
    return View(along_axes(values, smoothing), masks > 0)


def _offsets(side: int, affine: Affine) -> Tensor:
    """Voxels of a new axis, counted from its middle."""
    return torch.arange(side, device=affine.centre.device) - (side - 1) / 2
