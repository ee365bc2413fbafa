"""Named steps between a raw map and what is thresholded, in the order they are given.

`["median=3", "erosion=4", "components=20"]`: median over 3³ voxels, then a border of 4 mm set to 0, then
bright spots smaller than 20 mm³ lowered. `"relative=75"` divides a map by its own 75th percentile, but never
by less than healthy maps have there (`learned_floors`). Each step takes a map to a map, so that its effect
can be measured alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import AfterValidator
from scipy import ndimage

from medunsup.core.errors import UsageError
from medunsup.preprocess.geometry.morphology import Spacing, erode
from medunsup.preprocess.geometry.resample import bounding_box
from medunsup.training.scan_stack import Array, Mask, Scans

RELATIVE = "relative"
FLOOR_SCANS = 20
ONE_SIDED = 0.25  # of the mask: a score that is 0 in more of a healthy scan has one sign left out
USUAL_PERCENT = 90  # of the healthy divisors: beyond, a scan is noisier than healthy ones

Floors = Sequence[float]


def postprocess(
    steps: Sequence[str], score_map: Array, mask: Mask, spacing_mm: Spacing, floors: Floors = ()
) -> Array:
    """Take a map (I, J, K) through all steps; `floors` are those that `learned_floors` gave.

    Raises UsageError for a step that does not exist.
    """
    for step, floor in with_floors(steps, floors):
        score_map = apply_step(step, score_map, mask, spacing_mm, floor)
    return score_map


def apply_step(step: str, score_map: Array, mask: Mask, spacing_mm: Spacing, floor: float = 0.0) -> Array:
    """Take a map through one step such as "median=3"."""
    name, amount = _parse(step)
    return STEPS[name].apply(score_map, mask, spacing_mm, amount, floor)


def with_floors(steps: Sequence[str], floors: Floors) -> list[tuple[str, float]]:
    """Pair each step with its floor, 0 where none was learned."""
    return list(zip(steps, floors or (0.0,) * len(steps), strict=True))


def learned_floors(
    steps: Sequence[str], score_map: Callable[[Array, Mask], Array], scans: Scans, spacing_mm: Spacing
) -> Floors:
    """Learn from healthy scans the least each step may divide by: one number a step, 0 if it divides by none.

    `score_map` makes the raw map of a scan. The floor is the least divisor among at most 20 of the scans, but
    no less than half their median. Of a one-sided score, whose healthy raw maps are 0 in a quarter of the
    mask or more, it is the divisors' 90th percentile: a percentile so near to the zeros tells how dark a scan
    is, not how noisy, and only one noisier than healthy scans has units of its own. Where that is 0 it is the
    mean score.
    """
    floors: list[float] = []
    chosen = np.unique(np.linspace(0, len(scans) - 1, FLOOR_SCANS).astype(int))
    for n, step in enumerate(steps):
        name, percent = _parse(step)
        if name != RELATIVE:
            floors.append(0.0)
            continue
        measured = []
        for at in chosen:
            mask = scans.masks[at]
            raw = score_map(scans.values[at], mask)
            found = postprocess(steps[:n], raw, mask, spacing_mm, floors)
            zeros = _mean((raw <= 0).astype(np.float32), mask)
            measured.append((_usual(found, mask, percent), _mean(found, mask), zeros))
        floors.append(_least_divisor(measured))
    return tuple(floors)


def median(score_map: Array, mask: Mask, size: int) -> Array:
    """Median over a cube of `size`³ voxels; outside the mask counts as 0, so single voxels and edges sink."""
    if size == 1 or not mask.any():
        return score_map * mask
    out = np.zeros_like(score_map)
    box = bounding_box(mask, (size, size, size))
    out[box] = ndimage.median_filter(score_map[box], size)
    return out * mask


def erode_rim(score_map: Array, mask: Mask, spacing_mm: Spacing, depth_mm: float) -> Array:
    """Set to 0 what lies within `depth_mm` of the mask's border, where reconstructions are poor."""
    return score_map * erode(mask, depth_mm, spacing_mm)


def lower_small_spots(score_map: Array, mask: Mask, spacing_mm: Spacing, least_mm3: float) -> Array:
    """Lower each bright spot to the level at which it is part of one of at least `least_mm3`.

    Whatever the threshold, no component (26 neighbours) of the result above it is smaller, and larger ones
    keep their shape: an area opening (Vincent, 1993), so no threshold has to be known.
    """
    import SimpleITK

    # One voxel of padding: the filter mistakes spots that touch the array's first voxel.
    image = SimpleITK.GetImageFromArray(np.pad(score_map * mask, 1))
    image.SetSpacing(tuple(float(size) for size in reversed(spacing_mm)))
    opened = SimpleITK.AreaOpening(image, least_mm3, True, True)
    return SimpleITK.GetArrayFromImage(opened)[1:-1, 1:-1, 1:-1] * mask


def relative(score_map: Array, mask: Mask, percent: float, floor: float = 0.0) -> Array:
    """Divide by the scan's own percentile of the scores in the mask, by `floor` if that is less.

    A scan that is unlike the healthy ones all over, for its noise or its age, then shows no more findings
    than others. The order of voxels within a scan stays, and so does their average precision. Where both are
    0, no unit is known and the map stays as it is.
    """
    divisor = max(_usual(score_map, mask, percent), floor)
    return score_map * mask / np.float32(divisor if divisor > 0 else 1)


def _usual(score_map: Array, mask: Mask, percent: float) -> float:
    return float(np.percentile(score_map[mask], percent)) if mask.any() else 0.0


def _mean(score_map: Array, mask: Mask) -> float:
    return float(score_map[mask].mean(dtype=np.float64)) if mask.any() else 0.0


def _least_divisor(measured: Sequence[tuple[float, float, float]]) -> float:
    """Least divisor from each healthy map's own, its mean score and the share of zeros before any step."""
    own, means, zeros = np.array(measured).T
    is_one_sided = np.median(zeros) >= ONE_SIDED
    floor = np.percentile(own, USUAL_PERCENT) if is_one_sided else max(own.min(), np.median(own) / 2)
    return float(floor if floor > 0 else max(means.mean(), 0))


@dataclass(frozen=True)
class Step:
    """What a step does with its number and the least divisor, and which numbers make sense."""

    apply: Callable[[Array, Mask, Spacing, float, float], Array]
    limits: tuple[float, float]
    unit: str


STEPS = {
    "median": Step(lambda scores, mask, _, size, __: median(scores, mask, int(size)), (1, 15), "voxels, odd"),
    "erosion": Step(lambda *of: erode_rim(*of[:4]), (0, 50), "mm"),
    "components": Step(lambda *of: lower_small_spots(*of[:4]), (0, 1e6), "mm³"),
    RELATIVE: Step(lambda scores, mask, _, *of: relative(scores, mask, *of), (50, 99), "percent"),
}


def check_steps(steps: tuple[str, ...]) -> tuple[str, ...]:
    """Return the steps as they are. Raises UsageError naming the first that makes no sense."""
    for step in steps:
        _parse(step)
    return steps


Steps = Annotated[tuple[str, ...], AfterValidator(check_steps)]


def _parse(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    known = ", ".join(f"{key}=<{step.unit}>" for key, step in STEPS.items())
    try:
        step, amount = STEPS[name.strip()], float(number)
    except (KeyError, ValueError) as error:
        raise UsageError(f"Post-processing step {text!r} is not one of {known}.") from error
    low, high = step.limits
    if not low <= amount <= high or (name.strip() == "median" and amount % 2 != 1):
        raise UsageError(f"Post-processing step {text!r}: give {low:g} to {high:g} {step.unit}.")
    return name.strip(), amount
