"""A smooth multiplicative intensity field, estimated inside EM on a coarse grid.

References
----------
Wells et al., Adaptive segmentation of MRI data, IEEE TMI 15 (1996).
Van Leemput et al., Automated model-based bias field correction, IEEE TMI 18 (1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]

CELL_MM = 4.0
RIDGE = 1e-3  # share of the largest weight: where there is no brain the field tends to 1


@dataclass(frozen=True)
class CoarseGrid:
    """Cells of about `CELL_MM` over a box of voxels, seen from a grid inside it.

    The grid begins at voxel `origin` and takes every `steps`-th one. The cells depend on neither, so a
    field found on a sparse grid holds on the full one.
    """

    cells: tuple[int, int, int]
    factors: tuple[int, int, int]
    shape: tuple[int, int, int]
    origin: tuple[int, int, int] = (0, 0, 0)
    steps: tuple[int, int, int] = (1, 1, 1)

    @classmethod
    def over(
        cls,
        shape: Sequence[int],
        spacing_mm: Sequence[float],
        seen: Sequence[int],
        origin: Sequence[int] = (0, 0, 0),
        steps: Sequence[int] = (1, 1, 1),
    ) -> "CoarseGrid":
        """Cells for a box `shape` at `spacing_mm`, seen from a grid of the shape `seen`."""
        factors = [max(1, round(CELL_MM / length)) for length in spacing_mm]
        cells = [-(-size // factor) for size, factor in zip(shape, factors, strict=True)]
        return cls(_three(cells), _three(factors), _three(seen), _three(origin), _three(steps))

    def sum_cells(self, index: NDArray[np.integer], values: Array) -> NDArray[np.float64]:
        """Sum `values` (N,) at flat grid `index` (N,) over each cell."""
        position = np.unravel_index(index, self.shape)
        coarse = tuple(
            (start + p * step) // factor
            for start, p, step, factor in zip(self.origin, position, self.steps, self.factors, strict=True)
        )
        flat = np.ravel_multi_index(coarse, self.cells)
        sums = np.bincount(flat, weights=values, minlength=int(np.prod(self.cells)))
        return np.asarray(sums, dtype=np.float64).reshape(self.cells)

    def interpolate(self, field: NDArray[np.float64]) -> Array:
        """Interpolate a field on cell centres linearly; returns the grid's shape, float32."""
        out = field.astype(np.float32)
        for axis, factor in enumerate(self.factors):
            last = out.shape[axis] - 1
            voxel = self.origin[axis] + np.arange(self.shape[axis]) * self.steps[axis]
            position = np.clip((voxel - (factor - 1) / 2) / factor, 0, last)
            low = np.minimum(position.astype(int), max(last - 1, 0))
            share = np.expand_dims((position - low).astype(np.float32), [n for n in range(3) if n != axis])
            out = _between(out, low, np.minimum(low + 1, last), share, axis)
        return out

    def interpolate_each(self, fields: NDArray[np.float64]) -> Array:
        """Interpolate each channel's field; returns (C, ...) of the grid's shape, float32."""
        out = np.empty((len(fields), *self.shape), dtype=np.float32)
        for channel, field in zip(out, fields, strict=True):
            channel[...] = self.interpolate(field)
        return out


def estimate_field(
    grid: CoarseGrid,
    index: NDArray[np.integer],
    observed: Array,
    expected: Array,
    precision: Array,
    *,
    sigma_mm: float,
    spacing_mm: Sequence[float],
) -> NDArray[np.float64]:
    """Smooth field b on the cells for which `observed` is nearly b times `expected`; all inputs (N,).

    Weighted least squares in a Gaussian neighbourhood of `sigma_mm`; `spacing_mm` is that of single voxels.
    The field's logarithm has mean 0 over `index`.
    """
    sigma = [sigma_mm / (length * factor) for length, factor in zip(spacing_mm, grid.factors, strict=True)]
    weight = precision * expected
    above = ndimage.gaussian_filter(grid.sum_cells(index, weight * observed), sigma, mode="constant")
    below = ndimage.gaussian_filter(grid.sum_cells(index, weight * expected), sigma, mode="constant")
    ridge = RIDGE * below.max() + np.finfo(float).tiny
    field = np.maximum((above + ridge) / (below + ridge), 0.05)
    at_voxels = grid.interpolate(field).reshape(-1)[index]
    return np.asarray(field / np.exp(np.log(at_voxels).mean(dtype=np.float64)))


def _between(values: Array, low: NDArray[np.intp], high: NDArray[np.intp], share: Array, axis: int) -> Array:
    """Go by `share` from the values at `low` to those at `high`; in place, since a whole scan is large."""
    out, step = np.take(values, low, axis), np.take(values, high, axis)
    step -= out
    step *= share
    out += step
    return out


def _three(values: Sequence[int]) -> tuple[int, int, int]:
    i, j, k = (int(value) for value in values)
    return i, j, k
