"""Probabilities on the template grid, resampled to native space."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Affine, Grid

Classes = NDArray[np.int32]
Shares = NDArray[np.float32]


def native_shares(
    shares: Shares, template_to_scan: Affine, spacing_mm: float, grid: Grid
) -> Iterator[Shares]:
    """Yield the probability (I, J, K) of each class, background first, on a scan's own grid.

    Interpolated linearly; beyond the template grid all are 0.
    """
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    space = ModelSpace(spacing_mm)
    for share in shares:
        yield space.to_native(share, template_to_scan, grid)


def likeliest(shares: Iterable[Shares]) -> Classes:
    """Return the number (I, J, K) of the class that is likeliest in each voxel; the first where all are 0."""
    chosen: Classes | None = None
    for number, here in enumerate(shares):
        if chosen is None:
            chosen, best = np.zeros(here.shape, np.int32), np.zeros(here.shape, np.float32)
        chosen[here > best] = number
        best = np.maximum(best, here)
    assert chosen is not None
    return chosen


def in_native_space(shares: Shares, template_to_scan: Affine, spacing_mm: float, grid: Grid) -> Classes:
    """Bring the probabilities (classes, I, J, K) of a scan to its own grid; return the likeliest class there.

    Interpolated before the choice, so that borders are no staircase; beyond the template grid all is
    background.
    """
    return likeliest(native_shares(shares, template_to_scan, spacing_mm, grid))
