"""How much of each tissue a head holds."""

import numpy as np
from numpy.typing import ArrayLike

from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.features.base import TISSUES, Feature, FeatureInput

MM3_PER_ML = 1000.0


class VolumesConfig(Config):
    """There is nothing to choose."""


@register(
    "volumes",
    family="tissue",
    dims=(3,),
    paper="Ashburner & Friston (2000), Voxel-based morphometry: the methods. NeuroImage 11(6).",
    limit="Tissue is found on the grid, not at the scan's resolution: CSF differs most from `segment`.",
)
class Volumes(Feature):
    """Volumes of GM, WM, CSF and the whole brain in ml, and each tissue's share of it.

    Volumes are the head's own: the voxels of the template grid count with the size that they have in it.

    Parameters
    ----------
    config : VolumesConfig, optional
        There is nothing to choose.

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

    def describe(self) -> dict[str, str]:
        """Return the name of each number and how it is made."""
        volumes = {f"{tissue}_ml": f"volume of {tissue} in the brain mask, in ml" for tissue in TISSUES}
        shares = {f"{tissue}_fraction": f"share of the brain mask that is {tissue}" for tissue in TISSUES}
        return {**volumes, "brain_ml": "volume of the brain mask, in ml", **shares}

    def _values(self, scan: FeatureInput) -> ArrayLike:
        assert scan.fractions is not None
        volumes = scan.fractions[:, scan.mask].sum(axis=1, dtype=np.float64) * scan.voxel_mm3 / MM3_PER_ML
        return [*volumes, volumes.sum(), *volumes / volumes.sum()]
