"""Even out slow intensity changes across the head with N4, for chains that do not end in our own EM.

The tissue methods estimate the field themselves, jointly with the tissues, and do not need this step.

References
----------
Tustison et al., N4ITK: improved N3 bias correction, IEEE TMI 29 (2010).
"""

import numpy as np

from medunsup.core.errors import InputError
from medunsup.core.geometry import check_same_grid
from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.images import shrink, to_sitk

ITERATIONS = (30, 30, 20)
CONTROL_POINTS = (4, 4, 4)
FIT_SPACING_MM = 4.0


def correct_bias(image: Volume, mask: Volume, *, step: Step) -> tuple[Volume, Volume]:
    """Return the corrected image and the field it was divided by, both (I, J, K) float32.

    The field is fitted inside the mask on a block-averaged copy at about 4 mm (averaging, not subsampling:
    on noisy scans N4 loses grey matter otherwise), has a mean of 1 in the mask, and is smooth beyond it.
    N4 needs positive intensities: voxels at or below 0 are left out of the fit.

    Raises InputError if fewer than 100 voxels of the copy are left to fit.
    """
    import SimpleITK as sitk  # noqa: N813  (its own customary name)

    check_same_grid(image.grid, mask.grid, "the scan and its brain mask")
    small = shrink(image, FIT_SPACING_MM)
    inside = (shrink(mask, FIT_SPACING_MM).data > 0.5) & (small.data > 0)
    if inside.sum() < 100:
        raise InputError(
            "The brain mask covers too little of the scan to correct its bias. Give another mask."
        )
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(ITERATIONS)
    n4.SetNumberOfControlPoints(CONTROL_POINTS)
    n4.Execute(to_sitk(small), to_sitk(small.like(inside, kind="mask"), np.uint8))
    log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(to_sitk(image))).transpose(2, 1, 0)
    field = np.exp(log_field - log_field[mask.data].mean(), dtype=np.float32)
    field /= field[mask.data].mean()
    spread = np.percentile(field[mask.data], (1, 99))
    step.parameters |= {"method": "N4", "fit_spacing_mm": FIT_SPACING_MM}
    step.findings["field_range"] = [round(float(value), 3) for value in spread]
    return image.like(np.ascontiguousarray(image.data / field)), image.like(np.ascontiguousarray(field))
