"""Place the MNI152 template on a scan: coarse search from many starts, then an affine.

On a brain alone SimpleITK climbs Mattes mutual information at 4 and 2 mm. On a whole head it drifted out to
the scalp (T2w and FLAIR of one patient: 2.5 l), so there the stretch stays with the coarse score, which
knows the skin; once the brain's mask is known, `refine_registration` fits the brain alone.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.geometry import Affine, Grid
from medunsup.core.record import Step
from medunsup.core.renamed import renamed_property
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.morphology import dilate
from medunsup.preprocess.geometry.resample import LPS, centroid_mm, resampled, shrink, to_sitk, winsorized
from medunsup.preprocess.geometry.template import Template, load_template
from medunsup.preprocess.registration.coarse_search import Start, find_start, stretch

MARGIN_MM = 6.0
# Spacing and smoothing in mm, iterations, first step in mm. Every voxel counts: with half of them, fresh
# noise moved the registered brain's volume by 0.4 %.
LEVELS = ((4.0, 1.5, 60, 1.0), (2.0, 1.0, 60, 0.5))
N_BINS = 32
MIN_METRIC = 0.1
BRAIN_ML = (700.0, 2300.0)
SCALES = (0.65, 1.3)
MAX_SCALE_RATIO = 1.5
MAX_OUTSIDE_HEAD = 0.1

Kind = Literal["affine", "similarity", "moments"]


@dataclass(frozen=True)
class Registration:
    """Registration of the template to a scan.

    Attributes
    ----------
    template_to_scan : ndarray of shape (4, 4)
        From template world to scan world, RAS mm.
    metric : float
        Mutual information in nats within a few mm of the template's brain; good fits reach about 0.2 to 0.7.
    fits : bool
        Whether metric, size, scales and the place under the skin are all plausible.
    kind : str
        How it was found: an affine registration, the coarse search's similarity transform, or centre and size
        alone.
    """

    template_to_scan: Affine
    metric: float
    fits: bool
    kind: Kind = "affine"

    affine_mm = renamed_property("affine_mm", "template_to_scan")

    def to_scan(self, volume: Volume, grid: Grid, order: int = 1) -> NDArray[np.float32]:
        """Resample a template map onto a scan's grid; 0 outside the template's field of view.

        `order` 0 is nearest neighbour, 1 linear. Returns `grid.shape` float32.
        """
        moved = replace(volume, affine=self.template_to_scan @ volume.affine)
        return resampled(moved, grid, order=order)


def register_template(image: Volume, mask: Volume | None, *, step: Step) -> Registration:
    """Register the MNI152 T1 to a scan of any contrast; the template is fixed.

    With a mask the brain alone is matched, else the whole head. A registration that fails or ends
    somewhere implausible falls back to the coarse search's result, then to centre and size, with a warning
    in `step`; `fits` is then False or the kind says so.
    """
    template = load_template()
    scan = _work_copy(image, mask)
    start = find_start(template, scan, stripped=mask is not None)
    registration = _affine(template, scan, start)
    problems = _problems(template, registration, start.outside_head)
    if problems:
        registration = _fall_back(template, mask, start, problems, step)
    _report(template, registration, step)
    return registration


def refine_registration(
    image: Volume, mask: Volume, registration: Registration, *, step: Step
) -> Registration:
    """Fit the affine again at 2 mm with the brain alone, once its mask is known.

    Returns the given registration unchanged if the new one is implausible.
    """
    template = load_template()
    scan = _work_copy(image, mask)
    try:
        affine, metric = _register(template, scan, registration.template_to_scan, LEVELS[1:])
    except RuntimeError as error:
        step.warn(
            f"Fitting the template to the brain alone failed ({_first_line(error)}); kept the first fit."
        )
        return registration
    refined = replace(registration, template_to_scan=affine, metric=metric, kind="affine")
    problems = _problems(template, refined, 0.0)
    if problems:
        step.warn(f"Fitting the template to the brain alone went astray ({problems[0]}); kept the first fit.")
        return registration
    refined = replace(refined, fits=True)
    _report(template, refined, step)
    return refined


def _work_copy(image: Volume, mask: Volume | None) -> Volume:
    """About 2 mm; outside a given mask the brain's darkest intensity stands, as air would."""
    scan = shrink(image)
    if mask is None:
        return scan
    cover = shrink(mask).data
    inside = scan.data[cover > 0.5]
    low = float(np.percentile(inside, 0.5)) if inside.size else 0.0
    # Zero must be darker than the brain for any contrast and offset.
    return scan.like(np.where(cover > 0.5, np.maximum(scan.data - low, 0), 0).astype(np.float32))


def _affine(template: Template, scan: Volume, start: Start) -> Registration:
    """Fit 12 parameters: by SimpleITK to a brain alone, stiffly and under the skin to a whole head."""
    if start.head is not None:
        stretched = stretch(template, start)
        return Registration(stretched.template_to_scan, stretched.score, fits=True)
    try:
        affine, metric = _register(template, scan, start.template_to_scan, LEVELS)
    except RuntimeError:
        return Registration(start.template_to_scan, 0.0, fits=False)
    return Registration(affine, metric, fits=True)


def _register(
    template: Template, scan: Volume, start: Affine, levels: tuple[Any, ...]
) -> tuple[Affine, float]:
    """Climb Mattes mutual information, coarse to fine. Raises RuntimeError as SimpleITK does."""
    import SimpleITK as sitk  # noqa: N813  (its own customary name)

    affine, metric = start, 0.0
    for spacing_mm, smoothing_mm, n_iterations, step_mm in levels:
        fixed, fixed_mask = _fixed_images(spacing_mm)
        method = sitk.ImageRegistrationMethod()
        method.SetNumberOfThreads(1)
        method.SetNumberOfWorkUnits(1)  # sums over parts would depend on their number
        method.SetMetricAsMattesMutualInformation(N_BINS)
        method.SetMetricFixedMask(fixed_mask)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(step_mm, 0.02, n_iterations, 0.5)
        method.SetOptimizerScalesFromPhysicalShift()
        transform = _to_transform(affine, template.center_mm)
        method.SetInitialTransform(transform, inPlace=True)
        method.Execute(fixed, to_sitk(winsorized(_smooth(scan, smoothing_mm))))
        metric, affine = -method.GetMetricValue(), _from_transform(transform)
    return affine, metric


def _smooth(scan: Volume, width_mm: float) -> Volume:
    if width_mm == 0:
        return scan
    return scan.like(ndimage.gaussian_filter(scan.data, [width_mm / length for length in scan.spacing_mm]))


@lru_cache(maxsize=4)
def _fixed_images(spacing_mm: float) -> tuple[Any, Any]:
    """Return the template and its dilated mask at one resolution."""
    template = load_template()
    brain = shrink(template.mask, spacing_mm)
    near = dilate(brain.data > 0.5, MARGIN_MM, brain.spacing_mm)
    return to_sitk(shrink(template.t1, spacing_mm)), to_sitk(brain.like(near), np.uint8)


def _problems(template: Template, registration: Registration, outside_head: float) -> list[str]:
    """Name what is implausible about a registration; empty if it may be trusted."""
    scales = np.linalg.svd(registration.template_to_scan[:3, :3], compute_uv=False)
    volume_ml = float(np.prod(scales)) * template.volume_ml
    checks = {
        f"mutual information {registration.metric:.2f} is below {MIN_METRIC}": registration.metric
        < MIN_METRIC,
        f"the registered brain would measure {volume_ml:.0f} ml": not BRAIN_ML[0] < volume_ml < BRAIN_ML[1],
        f"it is scaled by {scales.min():.2f} to {scales.max():.2f}": scales.min() < SCALES[0]
        or scales.max() > SCALES[1]
        or scales.max() / scales.min() > MAX_SCALE_RATIO,
        f"{outside_head:.0%} of the brain would lie in the skin or the air": outside_head > MAX_OUTSIDE_HEAD,
    }
    return [reason for reason, is_wrong in checks.items() if is_wrong]


def _fall_back(
    template: Template, mask: Volume | None, start: Start, problems: list[str], step: Step
) -> Registration:
    """Take the coarse search's result if plausible, else centre and size alone; never silently."""
    similarity = Registration(start.template_to_scan, start.score, fits=True, kind="similarity")
    if not _problems(template, similarity, start.outside_head):
        step.warn(
            f"The affine registration of the template is implausible ({problems[0]}); "
            "a coarser registration (shift, turn, size) is used instead.",
            degraded=True,
        )
        return similarity
    step.warn(
        f"The template does not fit this scan ({problems[0]}); it is registered by centre and size only. "
        f"Check the outlines{', or give a mask' if mask is None else ''}.",
        degraded=True,
    )
    return _moments(template, mask, start)


def _moments(template: Template, mask: Volume | None, start: Start) -> Registration:
    affine = np.eye(4)
    if mask is not None and mask.data.any():
        volume_ml = float(mask.data.sum()) * mask.voxel_volume_mm3 / 1000
        affine[:3, :3] *= (volume_ml / template.volume_ml) ** (1 / 3)
        center = centroid_mm(mask)
    else:
        center = start.template_to_scan[:3, :3] @ template.center_mm + start.template_to_scan[:3, 3]
    affine[:3, 3] = center - affine[:3, :3] @ template.center_mm
    return Registration(affine, 0.0, fits=False, kind="moments")


def _report(template: Template, registration: Registration, step: Step) -> None:
    scales = np.linalg.svd(registration.template_to_scan[:3, :3], compute_uv=False)
    step.findings["registration"] = registration.kind
    step.findings["registration_metric"] = round(registration.metric, 4)
    step.findings["registration_scales"] = [round(float(scale), 3) for scale in scales]
    step.findings["placed_volume_ml"] = round(float(np.prod(scales)) * template.volume_ml, 1)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _to_transform(template_to_scan: Affine, center_mm: NDArray[np.float64]) -> Any:
    """Build an ITK affine about the template's centre; its parameters are then of like weight."""
    import SimpleITK as sitk  # noqa: N813  (its own customary name)

    lps = LPS @ template_to_scan @ LPS
    center = LPS[:3, :3] @ center_mm
    transform = sitk.AffineTransform(3)
    transform.SetCenter(center.tolist())
    transform.SetMatrix(lps[:3, :3].ravel().tolist())
    transform.SetTranslation((lps[:3, 3] - center + lps[:3, :3] @ center).tolist())
    return transform


def _from_transform(transform: Any) -> Affine:
    lps = np.eye(4)
    lps[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    center, shift = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    lps[:3, 3] = center + shift - lps[:3, :3] @ center
    return np.asarray(LPS @ lps @ LPS)
