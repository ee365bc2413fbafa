"""Brain extraction by deepbet, a small U-Net whose weights lie in its wheel (extra `[deepbet]`).

deepbet follows the brain. Where the brain has shrunk away from the bone it leaves fluid out, so its mask
then grows through fluid as the registered one does, by the same rule.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import DependencyError
from medunsup.core.extras import install
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.intensities import tissue_look
from medunsup.preprocess.brain_extraction.surface import (
    MARGIN_MM,
    SURELY_INSIDE_MM,
    grow_through_fluid,
    onto_grid,
)
from medunsup.preprocess.geometry.morphology import signed_distance
from medunsup.preprocess.geometry.resample import bounding_box, crop, refine_thick_axes, resampled, shrink
from medunsup.preprocess.geometry.template import Template
from medunsup.preprocess.registration.affine import Registration

FINE_MM = 1.0


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
            "Brain mask 'deepbet' needs the package deepbet. In the folder of medunsup: "
            f"{install('deepbet')}."
        ) from error
    import nibabel

    with TemporaryDirectory() as folder:
        scan, mask = Path(folder) / "scan.nii.gz", Path(folder) / "mask.nii.gz"
        nibabel.save(nibabel.Nifti1Image(image.data.astype(np.float32), image.affine), scan)
        run_bet([str(scan)], mask_paths=[str(mask)], threshold=0.5, n_dilate=0, no_gpu=True)
        return np.asarray(nibabel.load(mask).dataobj) > 0


def fill_to_bone(
    image: Volume, mask: Volume, registration: Registration, template: Template
) -> NDArray[np.bool_]:
    """Grow a brain mask through the fluid around it up to the bone; (I, J, K) on the scan's grid.

    The look of the tissues is learned at 2 mm; the mask grows at 1 mm where the scan is that fine.
    """
    i, j, k = (int(np.ceil(MARGIN_MM / spacing)) for spacing in mask.spacing_mm)
    box = bounding_box(mask.data, (i, j, k))
    near = crop(image, box)
    # Air is the zero of the multiplicative bias, whatever offset the scan was stored with.
    scan = near.like(near.data - np.float32(np.percentile(image.data, 0.5)))
    distance = scan.like(signed_distance(mask.data[box], mask.spacing_mm))
    coarse, fine = refine_thick_axes(shrink(scan)), refine_thick_axes(shrink(scan, FINE_MM))
    maps = [shrink(part) for part in (template.gm, template.wm, template.csf)]
    priors = [registration.to_scan(part, coarse.grid) for part in maps]
    inside = resampled(distance, coarse.grid) > SURELY_INSIDE_MM
    look = tissue_look(coarse.data, priors, inside, coarse.spacing_mm)
    bias = resampled(coarse.like(look.bias), fine.grid, outside=1.0)
    fine_look = replace(look, corrected=np.asarray(fine.data / bias, dtype=np.float32))
    brain = resampled(distance, fine.grid, outside=-MARGIN_MM) > 0
    return onto_grid(grow_through_fluid(fine_look, brain, fine.spacing_mm), fine, image.grid)
