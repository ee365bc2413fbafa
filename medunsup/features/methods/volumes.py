"""How much of each tissue a head holds."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from medunsup.core.config import Config
from medunsup.core.errors import ArrayError
from medunsup.core.registry import register
from medunsup.features.base import TISSUES, Feature, FeatureInput

MM3_PER_ML = 1000.0


class VolumesConfig(Config):
    """Where tissues are found."""

    at: Literal["grid", "scan"] = Field(
        "grid",
        description="'grid': on the template grid, in a second; 'scan': at the scan's own resolution, the "
        "volumes of `medunsup segment`, which takes ten times as long",
    )


@register(
    "volumes",
    family="tissue",
    dims=(3,),
    paper="Ashburner & Friston (2000), Voxel-based morphometry: the methods. NeuroImage 11(6).",
    limit="On the grid CSF differs most from `segment`'s; at the scan its verdict is not in the table.",
)
class Volumes(Feature):
    """Volumes of GM, WM, CSF and the whole brain in ml, and each tissue's share of it.

    Volumes are the head's own: the voxels of the template grid count with the size that they have in it. With
    `at="scan"` they are those that `medunsup segment` finds at the scan's own resolution.

    Parameters
    ----------
    config : VolumesConfig, optional
        `at` says where tissues are found.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.features import FeatureInput, Volumes
    >>> fractions = np.stack([np.full((10, 10, 10), share) for share in (0.5, 0.3, 0.2)])
    >>> scan = FeatureInput(np.ones((1, 10, 10, 10)), np.ones((10, 10, 10), bool), 8.0, fractions)
    >>> Volumes().transform(scan).round(3).tolist()
    [4.0, 2.4, 1.6, 8.0, 0.5, 0.3, 0.2]
    """

    Config = VolumesConfig
    needs_tissues = True

    @property
    def needs_volumes(self) -> bool:
        """Whether volumes are to be given, and no fractions."""
        return self.config.at == "scan"

    def describe(self) -> dict[str, str]:
        """Return the name of each number and how it is made."""
        volumes = {f"{tissue}_ml": f"volume of {tissue} in the brain mask, in ml" for tissue in TISSUES}
        shares = {f"{tissue}_fraction": f"share of the brain mask that is {tissue}" for tissue in TISSUES}
        return {**volumes, "brain_ml": "volume of the brain mask, in ml", **shares}

    def _values(self, scan: FeatureInput) -> ArrayLike:
        if self.needs_volumes:
            if scan.volumes_ml is None:
                raise ArrayError("volumes at the scan's own resolution: give volumes_ml.")
            volumes = np.array(scan.volumes_ml, np.float64)
        else:
            assert scan.fractions is not None
            volumes = scan.fractions[:, scan.mask].sum(axis=1, dtype=np.float64) * scan.voxel_mm3 / MM3_PER_ML
        return [*volumes, volumes.sum(), *volumes / volumes.sum()]
