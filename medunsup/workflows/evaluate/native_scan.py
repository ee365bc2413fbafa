"""A scan in native space, cut to where maps are measured: its brain and its lesions."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.prepare import Prepared
from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.crop import Box

MARGIN_VOXELS = 9  # more than the widest median, so that cropping changes no map

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NativeScan:
    """A scan, its brain mask and its true lesions (None: nothing is known of them), on one grid (I, J, K).

    `template_to_scan` (4, 4) brings maps from the template grid, of voxels of `spacing_mm`, here.
    """

    image: Volume
    brain: Mask
    lesions: Mask | None
    template_to_scan: Affine
    spacing_mm: float

    @classmethod
    def around_brain(cls, image: Volume, prepared: Prepared, lesions: Mask | None, spacing_mm: float) -> Self:
        """Cut a scan to its brain, its lesions and a margin."""
        shown = prepared.brain if lesions is None else prepared.brain | lesions
        box = Box.around(shown, MARGIN_VOXELS)
        return cls(
            box.take(image),
            prepared.brain[box.slices],
            None if lesions is None else lesions[box.slices],
            prepared.template_to_scan,
            spacing_mm,
        )

    @property
    def has_lesions(self) -> bool:
        """Whether there are lesions to find."""
        return self.lesions is not None and bool(self.lesions.any())

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel."""
        return self.image.voxel_volume_mm3

    @property
    def lesions_outside_brain(self) -> float:
        """Share of the lesions' voxels outside the brain mask; NaN without lesions."""
        if self.lesions is None or not self.has_lesions:
            return float("nan")
        return float((self.lesions & ~self.brain).sum() / self.lesions.sum())

    def resampled(self, score_map: Array) -> Array:
        """Bring a map of the template grid onto these voxels."""
        from medunsup.preprocess.geometry.template_grid import ModelSpace

        space = ModelSpace(self.spacing_mm)
        return space.to_native(score_map, self.template_to_scan, self.image.grid)
