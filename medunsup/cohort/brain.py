"""Where the brain of a scan is: in the mask that was given, or found as the request says."""

from dataclasses import replace
from typing import TYPE_CHECKING

from medunsup.cohort import reading
from medunsup.cohort.request import ScanRequest
from medunsup.core.geometry import steadied
from medunsup.core.record import Step
from medunsup.core.volume import Volume

if TYPE_CHECKING:
    from medunsup.preprocess.brain_extraction.brain_mask import Brain


def find_brain(image: Volume, request: ScanRequest, step: Step) -> "Brain":
    """Get the brain mask, given or found, and where the template lies on the scan."""
    from medunsup.preprocess.brain_extraction import brain_mask

    steady = replace(image, affine=steadied(image.affine))
    if request.mask is None:
        found = brain_mask.find_brain(steady, method=request.reading.brain, step=step)
    else:
        mask = reading.load_mask(request.mask, image, step, request.reading.coordinates)
        found = brain_mask.place_given(steady, steady.like(mask.data, kind="mask"), step=step)
    return replace(found, mask=image.like(found.mask.data, kind="mask"))


def find_brain_evened(image: Volume, request: ScanRequest, step: Step) -> tuple[Volume, "Brain"]:
    """Find the brain as `find_brain` does, and take a strong bias of a T1w scan out before anything else."""
    from medunsup.preprocess.intensity.evened import evened_out

    found = find_brain(image, request, step)
    told = reading.told_contrast_of(request, image)
    if told is not None and told.name != "T1w":
        return image, found
    return evened_out(image, found, lambda even, trial: find_brain(even, request, trial), step=step)
