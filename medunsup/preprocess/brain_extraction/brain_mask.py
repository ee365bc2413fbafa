"""Find the brain in a scan of any contrast: without a download, whether or not the skull is still there."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import StepError, UsageError
from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.field_of_view import view_of_head
from medunsup.preprocess.brain_extraction.noisy_air import with_still_air
from medunsup.preprocess.brain_extraction.stripped import own_region
from medunsup.preprocess.brain_extraction.surface import Growth, Surface, fit_surface, onto_grid
from medunsup.preprocess.geometry.head import find_head
from medunsup.preprocess.geometry.morphology import dice, erode, largest_component, opening
from medunsup.preprocess.geometry.resample import refine_thick_axes, shrink
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration, refine_registration, register_template

MaskMethod = Literal["auto", "atlas", "stripped", "deepbet"]
BRAIN_ML = (600.0, 2300.0)
LEAST_AGREEMENT = 0.8
# Noise is small where an MP2RAGE uniform image shows tissue: fluid hardly brighter than bone is told from it.
IN_UNIFORM_IMAGES = Growth(least_contrast=0.04)
SKIN_AND_BONE_MM = 11.0


@dataclass(frozen=True)
class Brain:
    """A brain's `mask` on the scan's grid, where the template lies, and whether the skull was gone.

    `reaches_bone` is False where fluid and bone look alike, so that the mask may leave fluid out.
    """

    mask: Volume
    registration: Registration
    is_stripped: bool
    reaches_bone: bool = True


def brain_mask(image: Volume, *, method: str = "auto", step: Step) -> tuple[Volume, Registration]:
    """Find the brain in a scan of any MR contrast, whether or not the skull is still there.

    The mask covers brain and fluid up to the bone. A step that fails or ends implausibly is replaced by the
    next best, with a warning in `step`.

    Parameters
    ----------
    image : Volume
        The scan.
    method : {'auto', 'atlas', 'stripped', 'deepbet'}, default 'auto'
        'auto' keeps the region of a skull-stripped scan, else registers the MNI152 mask and moves it onto the
        brain's surface ('atlas'); 'stripped' takes the scan's own region without asking; 'deepbet' runs a
        network made for T1w and grows its mask.
    step : Step
        Takes what was found and warned of.

    Returns
    -------
    mask : Volume
        Brain mask on the scan's grid, bool.
    registration : Registration
        Registration of the MNI template to the scan.

    Raises
    ------
    UsageError
        If the method is not known.
    StepError
        If nothing in the scan can be a brain.
    DependencyError
        If 'deepbet' is not installed.

    Examples
    --------
    >>> import medunsup
    >>> scan = medunsup.load("scan.nii.gz")
    >>> mask, registration = medunsup.brain_mask(scan, step=medunsup.Step("brain mask"))
    >>> mask.kind, mask.shape == scan.shape
    ('mask', True)
    """
    found = find_brain(image, method=method, step=step)
    return found.mask, found.registration


def find_brain(image: Volume, *, method: str = "auto", step: Step) -> Brain:
    """Do what `brain_mask` does, and say what else was seen of the brain."""
    if method not in get_args(MaskMethod):
        raise UsageError(f"There is no brain mask {method!r}. Known: {', '.join(get_args(MaskMethod))}.")
    found = _as_it_is(image, method, step) if method in ("auto", "stripped") else None
    step.findings["already_stripped"] = found is not None
    if found is None:
        view = view_of_head(image)
        still = with_still_air(view.image, step)
        rule = Growth() if still is view.image else IN_UNIFORM_IMAGES
        find = _with_deepbet if method == "deepbet" else partial(_with_atlas, rule=rule)
        found = find(still, step)
        whole = view.put_back(found.mask.data, image.shape)
        found = replace(found, mask=image.like(whole, kind="mask"))
    step.findings["mask_volume_ml"] = round(_volume_ml(found.mask), 1)
    return found


def place_given(image: Volume, mask: Volume, *, step: Step) -> Brain:
    """Place the template by a mask that was given, and tell whether the scan came without its skull."""
    stripped = is_stripped(image, mask)
    step.findings["already_stripped"] = stripped
    if stripped:
        return Brain(mask, register_template(image, mask, step=step), is_stripped=True)
    view = view_of_head(image)
    return Brain(mask, register_template(view.image, view.take(mask.data), step=step), is_stripped=False)


def is_stripped(image: Volume, mask: Volume) -> bool:
    """Tell whether a scan came without its skull: its own region is the mask's, or fits the template."""
    region = own_region(image)
    if region is None or dice(region, mask.data) > LEAST_AGREEMENT:
        return region is not None
    return _own_brain(image, region, Step("trial"))[1] > LEAST_AGREEMENT


def _as_it_is(image: Volume, method: str, step: Step) -> Brain | None:
    """Take the scan's own region, if it is there and the template agrees that it is a brain."""
    region = own_region(image)
    if region is None:
        if method == "stripped":
            raise StepError(
                "The scan does not look skull-stripped. Use the brain mask 'auto', or give a mask."
            )
        return None
    trial = Step(step.name)
    registration, agreement = _own_brain(image, region, trial)
    if method == "auto" and agreement < LEAST_AGREEMENT:
        return None
    _adopt(trial, step)
    step.findings["agreement_with_atlas"] = round(agreement, 3)
    return Brain(image.like(region, kind="mask"), registration, is_stripped=True)


def _own_brain(image: Volume, region: NDArray[np.bool_], step: Step) -> tuple[Registration, float]:
    """Place the template on a scan's own region; say how well the two overlap."""
    registration = register_template(image, image.like(region, kind="mask"), step=step)
    return registration, dice(region, registration.to_scan(load_template().mask, image.grid) > 0.5)


def _with_atlas(image: Volume, step: Step, rule: Growth | None = None) -> Brain:
    template = load_template()
    registration = register_template(image, None, step=step)
    if registration.kind == "moments":
        step.warn(
            "The brain is outlined from the head's surface alone; check it or give a mask.", degraded=True
        )
        return Brain(image.like(_beneath_skin(image), kind="mask"), registration, is_stripped=False)
    surface = fit_surface(image, registration, template, rule)
    brain, problem = surface.fitted, _problem(surface)
    if problem:
        step.warn(
            f"The brain's own surface was not found ({problem}); the registered MNI mask is used.",
            degraded=True,
        )
        brain = surface.registered
    mask = image.like(onto_grid(brain, surface.work, image.grid), kind="mask")
    step.findings["reaches_bone"] = surface.reaches_bone
    step.findings["agreement_with_atlas"] = round(dice(brain, surface.registered), 3)
    registration = refine_registration(image, mask, registration, step=step)
    return Brain(mask, registration, is_stripped=False, reaches_bone=surface.reaches_bone)


def _with_deepbet(image: Volume, step: Step) -> Brain:
    from medunsup.preprocess.brain_extraction.deepbet_mask import deepbet_mask, fill_to_bone

    mask = image.like(deepbet_mask(image), kind="mask")
    if not BRAIN_ML[0] < _volume_ml(mask) < BRAIN_ML[1]:
        step.warn(
            f"deepbet found a brain of {_volume_ml(mask):.0f} ml; the MNI152 mask is registered instead.",
            degraded=True,
        )
        step.findings["method"] = "atlas"
        return _with_atlas(image, step)
    registration = register_template(image, mask, step=step)
    if registration.fits:  # else nothing tells what fluid looks like
        mask = mask.like(fill_to_bone(image, mask, registration, load_template()))
    return Brain(mask, registration, is_stripped=False)


def _problem(surface: Surface) -> str | None:
    """Name what is implausible about the fitted mask, if anything."""
    volume_ml = _volume_ml(surface.work.like(surface.fitted, kind="mask"))
    agreement = dice(surface.fitted, surface.registered)
    if not volume_ml < BRAIN_ML[1]:
        return f"it would measure {volume_ml:.0f} ml"
    if agreement < LEAST_AGREEMENT:
        return f"it overlaps the registered mask by only {agreement:.2f}"
    return None


def _beneath_skin(image: Volume) -> NDArray[np.bool_]:
    """Take the upper part of what lies deep below the head's surface: the last resort."""
    work = refine_thick_axes(shrink(image, 3.0), 3.0)
    head = find_head(work)
    deep = erode(head.mask, SKIN_AND_BONE_MM, work.spacing_mm)
    world = np.argwhere(deep) @ work.affine[:3, :3].T + work.affine[:3, 3] - head.center_mm
    near = np.zeros_like(deep)
    near[deep] = (np.abs(world / (75.0, 95.0, 70.0)) ** 2).sum(axis=1) < 1
    core = largest_component(opening(near, 6.0, work.spacing_mm))
    if not core.any():
        raise StepError("No brain was found in this scan. Check that it shows a head, or give a mask.")
    return onto_grid(core, work, image.grid)


def _adopt(trial: Step, step: Step) -> None:
    """Carry a trial's findings and warnings over."""
    step.findings.update(trial.findings)
    for message in trial.warnings:
        step.warn(message, degraded=trial.outcome == "degraded")


def _volume_ml(mask: Volume) -> float:
    return float(mask.data.sum()) * mask.voxel_volume_mm3 / 1000
