"""The grid that models of healthy scans live on: the MNI152 template's brain, at one spacing."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.errors import UsageError
from medunsup.core.geometry import Affine, Grid
from medunsup.core.volume import Volume

DIVISOR = 16  # so that networks can halve each side four times
SPACING_MM = 2.0
LIMITS_MM = (0.5, 8.0)
FWHM_PER_SIGMA = 2.3548
ANCHOR_MM = (0.0, -134.0, -72.0)  # a voxel of the MNI152 file in its midline, also at 2 mm


@dataclass(frozen=True)
class ModelSpace:
    """The template grid cropped to its brain, RAS+, sides multiples of 16; 80 × 96 × 80 at 2 mm.

    At 1 and 2 mm voxel centres are those of the MNI152 grid that common tools write, so a scan that lies on
    it already is not interpolated. At any spacing the midline is a plane of voxels.
    """

    spacing_mm: float = SPACING_MM

    def __post_init__(self) -> None:
        low, high = LIMITS_MM
        if not low <= self.spacing_mm <= high:
            raise UsageError(
                f"A model's spacing lies between {low:g} and {high:g} mm, not {self.spacing_mm:g}."
            )

    @cached_property
    def grid(self) -> Grid:
        """The grid: its shape, and its place in the template's world."""
        from medunsup.preprocess.geometry.resample import bounding_box
        from medunsup.preprocess.geometry.template import load_template

        brain = load_template().mask
        box = bounding_box(brain.data, (0, 0, 0))
        low = np.array([brain.affine[n, 3] + brain.affine[n, n] * part.start for n, part in enumerate(box)])
        high = np.array(
            [brain.affine[n, 3] + brain.affine[n, n] * (part.stop - 1) for n, part in enumerate(box)]
        )
        span = (high - low) / self.spacing_mm + 1
        i, j, k = (DIVISOR * int(np.ceil(size / DIVISOR)) for size in span)
        first = (low + high) / 2 - self.spacing_mm * (np.array((i, j, k)) - 1) / 2
        anchor = np.array(ANCHOR_MM)
        first = anchor + self.spacing_mm * np.round((first - anchor) / self.spacing_mm)
        affine = np.diag([self.spacing_mm] * 3 + [1.0])
        affine[:3, 3] = first
        return Grid((i, j, k), affine)

    @property
    def tissues(self) -> NDArray[np.float32]:
        """The template's GM, WM and CSF on the grid, (3, I, J, K), 0 outside its brain."""
        return _tissues(self)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Sides of the grid in voxels."""
        return self.grid.shape

    @property
    def middle(self) -> int:
        """Sum of the first indices of a voxel and its mirror image about the template's midline."""
        return round(-2 * self.grid.affine[0, 3] / self.spacing_mm)

    def to_template_grid(self, volume: Volume, template_to_scan: Affine) -> NDArray[np.float32]:
        """Resample a scan linearly onto the grid, `shape` float32; 0 beyond its field of view.

        `template_to_scan` (4, 4) maps template world to the volume's, as that of a `Registration`. A scan
        finer than the grid is smoothed first to the grid's resolution, so that no detail folds back
        (Cardoso et al., Scale factor point spread function matching, MICCAI 2015).
        """
        from medunsup.preprocess.geometry.resample import resampled

        moved = replace(
            _smoothed(volume, template_to_scan, self.spacing_mm),
            affine=np.linalg.inv(template_to_scan) @ volume.affine,
        )
        return resampled(moved, self.grid)

    def to_native(self, data: NDArray[Any], template_to_scan: Affine, grid: Grid) -> NDArray[np.float32]:
        """Resample a map of the grid linearly onto a scan's own grid; 0 beyond the grid."""
        from medunsup.preprocess.geometry.resample import resampled

        return resampled(Volume(data, template_to_scan @ self.grid.affine, "score"), grid)


@lru_cache(maxsize=2)
def _tissues(space: ModelSpace) -> NDArray[np.float32]:
    from medunsup.preprocess.geometry.template import load_template

    template = load_template()
    return np.stack(
        [space.to_template_grid(part, np.eye(4)) for part in (template.gm, template.wm, template.csf)]
    )


def _smoothed(volume: Volume, template_to_scan: Affine, spacing_mm: float) -> Volume:
    """Blur each axis from its own resolution to the grid's; axes that are as coarse stay as they are."""
    to_template = np.linalg.inv(template_to_scan) @ volume.affine
    own = np.linalg.norm(to_template[:3, :3], axis=0)
    missing = np.sqrt(np.maximum(spacing_mm**2 - own**2, 0)) / FWHM_PER_SIGMA
    sigma = missing / own
    data = volume.data.astype(np.float32, copy=False)
    if sigma.max() < 0.3:  # below this a voxel's neighbours get no weight worth the time
        return replace(volume, data=data)
    return replace(volume, data=ndimage.gaussian_filter(data, sigma, truncate=3.0))
