"""Number the findings of a mask as the table of findings does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.result import Finding
from medunsup.core.errors import OutputError
from medunsup.core.hints import both
from medunsup.core.volume import Volume
from medunsup.metrics.components import components


def finding_labels(mask: Volume, listed: Sequence[Finding]) -> NDArray[np.uint16]:
    """Label the mask's components 1, 2, ... as `listed` has them; what is not listed has the next number.

    Raises OutputError if mask and list are not of one result.
    """
    voxel_mm3 = mask.grid.voxel_volume_mm3
    labels, n_parts = components(mask.data > 0.5, voxel_mm3=voxel_mm3)
    sizes = np.bincount(labels.ravel(), minlength=n_parts + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    volumes = [one.volume_mm3 for one in listed]
    if len(volumes) > n_parts or not np.allclose(
        sizes[order[: len(volumes)]] * voxel_mm3, volumes, rtol=1e-3
    ):
        raise OutputError(
            f"The mask holds other findings than the sidecar lists. Run it again with {both('force', True)}."
        )
    numbers = np.zeros(n_parts + 1, np.uint16)
    numbers[order + 1] = np.minimum(np.arange(n_parts), len(volumes)) + 1
    return numbers[labels]
