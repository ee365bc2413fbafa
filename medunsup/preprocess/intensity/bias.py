"""Slow intensity changes across the head, evened out with N4.

`correct_bias` is for chains that do not end in our own EM, which estimates a field jointly with the tissues.
That field is stiff, or cortex and lesions would pass for bias; a bias too strong for it is evened out before,
by the field that `strong_bias` finds.

References
----------
Tustison et al., N4ITK: improved N3 bias correction, IEEE TMI 29 (2010).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.errors import InputError
from medunsup.core.geometry import Grid, check_same_grid
from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.resample import shrink, to_sitk

ITERATIONS = (30, 30, 20)
CONTROL_POINTS = (4, 4, 4)
FIT_SPACING_MM = 4.0
LEAST_VOXELS = 100
STRONG_SPACING_MM = 5.0
# The field's 99th percentile over its 1st: up to the first nothing is done, from the second on all of it. 12
# scans of one study reach 1.15, two of others 1.13 and 1.16; scans as they came from another 1.26 to 1.4.
STRONG_RATIO = (1.18, 1.24)
LEAST_SIDE = 4  # coarse voxels along each axis: fewer are no volume to fit a field to
DARK = 0.25  # scaled intensity below which the logarithm of fluid would rule the field


def correct_bias(image: Volume, mask: Volume, *, step: Step) -> tuple[Volume, Volume]:
    """Return the corrected image and the field it was divided by, both (I, J, K) float32.

    The field is fitted inside the mask on a block-averaged copy at about 4 mm (averaging, not subsampling:
    on noisy scans N4 loses grey matter otherwise), has a mean of 1 in the mask, and is smooth beyond it.
    N4 needs positive intensities: voxels at or below 0 are left out of the fit.

    Raises InputError if fewer than 100 voxels of the copy are left to fit.
    """
    check_same_grid(image.grid, mask.grid, "the scan and its brain mask")
    small = shrink(image, FIT_SPACING_MM)
    inside = (shrink(mask, FIT_SPACING_MM).data > 0.5) & (small.data > 0)
    if inside.sum() < LEAST_VOXELS:
        raise InputError(
            "The brain mask covers too little of the scan to correct its bias. Give another mask."
        )
    log_field = _log_field(_fitted(small, inside), image)
    field = np.exp(log_field - log_field[mask.data].mean(), dtype=np.float32)
    field /= field[mask.data].mean()
    spread = np.percentile(field[mask.data], (1, 99))
    step.parameters |= {"method": "N4", "fit_spacing_mm": FIT_SPACING_MM}
    step.findings["field_range"] = [round(float(value), 3) for value in spread]
    return image.like(np.ascontiguousarray(image.data / field)), image.like(np.ascontiguousarray(field))


def strong_bias(scaled: Volume, mask: Volume, *, step: Step) -> Volume | None:
    """Find the field, on a grid of about 5 mm, by which to divide a T1w scan; None if its bias is not strong.

    `scaled` is in [0, 1] inside the mask. Between the bounds of what counts as strong the field is taken in
    part, so that no scan's result hangs on a hair. The fit runs in one thread: sums keep their order.
    """
    small = shrink(scaled, STRONG_SPACING_MM)
    inside = (shrink(mask, STRONG_SPACING_MM).data > 0.5) & (small.data > DARK)
    if inside.sum() < LEAST_VOXELS or min(small.shape) < LEAST_SIDE:
        return None
    try:
        log_field = _log_field(_fitted(small, inside, n_threads=1), small)
    except RuntimeError as error:
        step.warn(f"N4 failed ({str(error).splitlines()[-1]}): a strong bias, if there is one, stays.")
        return None
    low, high = np.percentile(log_field[inside], (1, 99))
    ratio, (weak, strong) = float(np.exp(high - low)), STRONG_RATIO
    power = float(np.clip((ratio - weak) / (strong - weak), 0, 1))
    step.findings |= {"bias_ratio": round(ratio, 3), "bias_evened_out": round(power, 2)}
    if power == 0:
        return None
    return small.like(np.exp(power * (log_field - log_field[inside].mean()), dtype=np.float32), kind="image")


def field_on(field: Volume, grid: Grid) -> NDArray[np.float32]:
    """Interpolate a coarse field linearly onto a grid, continued outwards by its border values."""
    index = np.linalg.inv(field.affine) @ grid.affine
    return ndimage.affine_transform(
        field.data, index[:3, :3], index[:3, 3], output_shape=grid.shape, order=1, mode="nearest"
    )


def _fitted(small: Volume, inside: NDArray[np.bool_], *, n_threads: int = 0) -> Any:
    """Fit N4 to a small copy of a scan; 0 threads leaves their number to the library."""
    import SimpleITK as sitk  # noqa: N813  (its own customary name)

    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(ITERATIONS)
    n4.SetNumberOfControlPoints(CONTROL_POINTS)
    if n_threads:
        n4.SetNumberOfThreads(n_threads)
    n4.Execute(to_sitk(small), to_sitk(small.like(inside, kind="mask"), np.uint8))
    return n4


def _log_field(n4: Any, image: Volume) -> NDArray[np.float32]:
    """Evaluate a fitted field's logarithm (I, J, K) on a grid of the same world."""
    import SimpleITK as sitk  # noqa: N813  (its own customary name)

    found: NDArray[np.float32] = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(to_sitk(image)))
    return found.transpose(2, 1, 0)
