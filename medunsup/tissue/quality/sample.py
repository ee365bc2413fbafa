"""One voxel every 3 mm of a scan and its result, with the template beside it: what all checks look at."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Grid
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.field_of_view import seen_ranges
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.base import Array, TissueInput, TissueMethod

SPACING_MM = 3.0
FEWEST_PLANES = 6  # fewer show too little of a head for the template to be registered
UNCLIPPED = (0.02, 0.98)

Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Atlas:
    """The registered template on the sample's grid, (I, J, K) each.

    `gm`, `wm`, `csf` in [0, 1], 0 outside `brain`; `position_mm` (3, I, J, K) where each voxel lies in
    template world mm; `in_view` the share of the template's brain within the scan's field of view.
    """

    gm: Array
    wm: Array
    brain: Mask
    position_mm: Array
    in_view: float

    @cached_property
    def csf(self) -> Array:
        """What GM and WM leave of the brain."""
        return np.asarray(np.clip(self.brain - self.gm - self.wm, 0, 1), dtype=np.float32)


@dataclass(frozen=True)
class Sample:
    """A grid of about 3 mm over the whole scan, or over the fitted box where the scan is not given.

    `scan` (I, J, K) is in the units of the fit, not corrected for bias; `values` (C, N), corrected
    for bias, and `labels` (N,) are those of the N sampled voxels of `mask`.
    """

    scan: Array
    mask: Mask
    values: Array
    labels: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]
    knows_surroundings: bool
    atlas: Atlas | None


def draw(
    data: TissueInput,
    fitted: TissueMethod,
    registration: Registration,
    scan: Volume | None,
    origin: tuple[int, int, int],
    *,
    is_stripped: bool = False,
) -> Sample:
    """Sample a scan and its result; `origin` is the voxel of `scan` where the fitted box begins.

    Unless the scan `is_stripped`, an empty margin around it counts as out of view.
    """
    steps = [max(1, round(SPACING_MM / length)) for length in data.spacing_mm]
    every = _every([0, 0, 0], steps)
    box_scan, box_mask = data.intensity[0][every], data.mask[every]
    values = data.intensity[(slice(None), *every)][:, box_mask]
    if (field := fitted.bias_field_) is not None:
        values = values / field[(slice(None), *every)][:, box_mask]
    around, mask, atlas = box_scan, box_mask, None
    if scan is not None:
        first = [start % step for start, step in zip(origin, steps, strict=True)]
        raw = scan.data[_every(first, steps)]
        starts = [start // step for start, step in zip(origin, steps, strict=True)]
        box = tuple(slice(n, n + size) for n, size in zip(starts, box_mask.shape, strict=True))
        around = _in_units_of_the_fit(raw, raw[box], box_scan)
        mask = np.zeros(raw.shape, dtype=bool)
        mask[box] = box_mask
        if min(scan.shape) >= FEWEST_PLANES:
            seen = np.ones(raw.shape, dtype=bool) if is_stripped else _seen(scan, first, steps)
            atlas = _atlas(registration, _grid(scan, raw.shape, first, steps), seen)
    i, j, k = (step * length for step, length in zip(steps, data.spacing_mm, strict=True))
    return Sample(around, mask, values, fitted.labels_[every][box_mask], (i, j, k), scan is not None, atlas)


def _every(first: list[int], steps: list[int]) -> Box:
    i, j, k = (slice(start, None, step) for start, step in zip(first, steps, strict=True))
    return i, j, k


def _grid(scan: Volume, shape: tuple[int, int, int], first: list[int], steps: list[int]) -> Grid:
    to_scan = np.diag([*steps, 1.0]).astype(float)
    to_scan[:3, 3] = first
    return Grid(shape, scan.affine @ to_scan)


def _in_units_of_the_fit(raw: NDArray[Any], raw_box: NDArray[Any], box_scan: Array) -> Array:
    """Continue the scaling of the fit's intensities, linear but clipped there, over the whole scan."""
    is_open = (box_scan > UNCLIPPED[0]) & (box_scan < UNCLIPPED[1])
    known, wanted = raw_box[is_open].astype(float), box_scan[is_open].astype(float)
    if not known.size or known.max() == known.min():
        return np.asarray(raw, dtype=np.float32)
    low, high = known.argmin(), known.argmax()
    gain = (wanted[high] - wanted[low]) / (known[high] - known[low])
    return np.asarray((raw - known[low]) * gain + wanted[low], dtype=np.float32)


def _seen(scan: Volume, first: list[int], steps: list[int]) -> Mask:
    """Mark the sampled voxels of what the scanner saw."""
    seen = np.zeros(scan.shape, dtype=bool)
    seen[tuple(slice(*part) for part in seen_ranges(scan.data))] = True
    return seen[_every(first, steps)]


def _atlas(registration: Registration, grid: Grid, seen: Mask) -> Atlas:
    template = load_template()
    gm, wm, brain = (registration.to_scan(part, grid) for part in (template.gm, template.wm, template.mask))
    to_template = np.linalg.inv(registration.template_to_scan) @ grid.affine
    index = np.indices(grid.shape, dtype=np.float32).reshape(3, -1)
    position = to_template[:3, :3].astype(np.float32) @ index + to_template[:3, 3:].astype(np.float32)
    is_brain = brain > 0.5
    registered_ml = template.volume_ml * abs(float(np.linalg.det(registration.template_to_scan[:3, :3])))
    seen_ml = float(np.count_nonzero(is_brain & seen)) * grid.voxel_volume_mm3 / 1000
    return Atlas(
        gm, wm, is_brain, position.reshape(3, *grid.shape), min(1.0, seen_ml / max(registered_ml, 1e-6))
    )
