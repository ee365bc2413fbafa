"""A Potts field on tissue fractions: neighbours prefer to be alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class RandomField:
    """Six neighbours on a grid, each axis with its own strength.

    Fractions are kept as (K, S), one column a site of the grid with a border of empty sites around it,
    so that every voxel has six neighbours. `sites` (N,) are the columns of the voxels at flat grid
    `index`.
    """

    def __init__(
        self,
        index: NDArray[np.integer],
        grid: tuple[int, int, int],
        strength: float,
        spacing_mm: Sequence[float],
    ) -> None:
        bordered = tuple(size + 2 for size in grid)
        # The border moves a voxel by one row a slice, one site a row, and the outer faces before it.
        in_row, in_slice = index // grid[2], index // (grid[1] * grid[2])
        self.sites = (index + 2 * in_row + 2 * bordered[2] * in_slice).astype(index.dtype)
        self.sites += bordered[1] * bordered[2] + bordered[2] + 1
        self.n_sites = int(np.prod(bordered))
        # The nearest neighbour pulls with the full strength, across a longer gap it is weaker.
        self.strengths = [strength * min(spacing_mm) / length for length in spacing_mm]
        self.offsets = (bordered[1] * bordered[2], bordered[2], 1)
        self.is_on = strength > 0

    def no_fractions(self, n_tissues: int) -> Array:
        """All zero: no neighbour has spoken yet."""
        return np.zeros((n_tissues, self.n_sites), dtype=np.float32)

    def pull(self, fractions: Array, chosen: NDArray[np.integer]) -> Array:
        """Weighted sum of the neighbours' fractions at voxels `chosen`, (K, n)."""
        sites = self.sites[chosen]
        total = np.zeros((len(fractions), len(chosen)), dtype=np.float32)
        for offset, strength in zip(self.offsets, self.strengths, strict=True):
            # mode="clip" spares numpy a checked copy; no site is out of range.
            both = np.take(fractions, sites + offset, axis=1, mode="clip")
            both += np.take(fractions, sites - offset, axis=1, mode="clip")
            both *= np.float32(strength)
            total += both
        return total


def checkerboard(index: NDArray[np.integer], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Colour of each voxel, (N,): no two of the same colour are neighbours.

    Updating one colour at a time is exact coordinate ascent on the mean-field objective, which updating
    all voxels at once is not.
    """
    row, plane = index // shape[2], index // (shape[1] * shape[2])
    parity = (index & 1) ^ (row * (shape[2] + 1) & 1) ^ (plane * (shape[1] + 1) & 1)
    return parity.astype(bool)
