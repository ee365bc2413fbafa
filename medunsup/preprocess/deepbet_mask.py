"""Brain extraction by deepbet, a small U-Net whose weights lie in its wheel (extra `[deepbet]`)."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import DependencyError
from medunsup.core.volume import Volume


def deepbet_mask(image: Volume) -> NDArray[np.bool_]:
    """Run deepbet on a T1w scan and return its mask on the scan's grid, (I, J, K).

    Raises DependencyError if deepbet is not installed. Made for T1w alone; other contrasts are not covered.

    References
    ----------
    Fisch et al., deepbet: Fast brain extraction of T1-weighted MRI, Computers in Biology and Medicine (2024).
    """
    try:
        from deepbet import run_bet
    except ImportError as error:
        raise DependencyError(
            "Brain mask 'deepbet' needs the package deepbet; pip install 'medunsup[deepbet]'."
        ) from error
    import nibabel

    with TemporaryDirectory() as folder:
        scan, mask = Path(folder) / "scan.nii.gz", Path(folder) / "mask.nii.gz"
        nibabel.save(nibabel.Nifti1Image(image.data.astype(np.float32), image.affine), scan)
        run_bet([str(scan)], mask_paths=[str(mask)], threshold=0.5, n_dilate=0, no_gpu=True)
        return np.asarray(nibabel.load(mask).dataobj) > 0
