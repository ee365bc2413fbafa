"""Connected components of a mask, as lesions and false alarms are counted."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]


def components(mask: Mask, *, voxel_mm3: float, least_mm3: float = 0.0) -> tuple[NDArray[np.int32], int]:
    """Label the components of a mask (I, J, K) whose volume is at least `least_mm3`: 1 to n, 0 elsewhere.

    Voxels that share a face, an edge or a corner belong together.
    """
    labels, n_parts = ndimage.label(mask, structure=np.ones((3,) * mask.ndim, dtype=bool))
    if n_parts == 0 or least_mm3 <= voxel_mm3:
        return labels.astype(np.int32, copy=False), n_parts
    large = np.bincount(labels.ravel(), minlength=n_parts + 1) * voxel_mm3 >= least_mm3
    large[0] = False
    renumbered = np.where(large, np.cumsum(large), 0).astype(np.int32)
    return renumbered[labels], int(large.sum())
