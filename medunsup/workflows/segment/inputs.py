"""From a request to what a tissue method takes: the scan, its brain, intensities and priors around it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort import further_contrasts, reading
from medunsup.cohort.brain import find_brain_evened
from medunsup.cohort.identity import Identity
from medunsup.core.labels import TISSUES
from medunsup.core.record import Record, Step
from medunsup.core.volume import Volume
from medunsup.io.bids.names import names_contrast_agent
from medunsup.preprocess.geometry.crop import Box
from medunsup.preprocess.intensity.channels import scale
from medunsup.preprocess.intensity.contrast import name_contrast
from medunsup.preprocess.registration.affine import Registration
from medunsup.workflows.segment.cohort_prior import on_scan, read_maps
from medunsup.workflows.segment.request import SegmentRequest

if TYPE_CHECKING:
    from medunsup.preprocess.brain_extraction.brain_mask import Brain
    from medunsup.tissue.quality import Known
    from medunsup.tissue.quality.findings import Findings

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LoadedScan:
    """The scan, and from which version, choices and files its result is made."""

    image: Volume
    identity: Identity


@dataclass(frozen=True, eq=False)
class BrainInScan:
    """The brain: `even` is the scan with a strong bias taken out, `box` the block of voxels around the mask.

    `known` tells the verdict how the scan was taken.
    """

    even: Volume
    found: "Brain"
    box: Box
    known: "Known"


@dataclass(frozen=True, eq=False)
class Intensities:
    """What lies in the box: `values` (C, I, J, K) in [0, 1] inside `mask` (I, J, K), one channel a contrast.

    `spacing_mm` is the voxels'; `priors` (3, I, J, K) are GM, WM and CSF. `uneven` is the coarse field that
    the scan was divided by, if it was. `registered` is what speaks against the further contrasts.
    """

    values: Array
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    contrasts: tuple[str, ...]
    priors: Array | None
    uneven: Volume | None
    registered: "Findings | None" = None

    @property
    def without_priors(self) -> "Intensities":
        """The same without the largest array, which nothing needs once the method is fitted."""
        return replace(self, priors=None)


def read_scan(request: SegmentRequest, record: Record) -> LoadedScan:
    """Load the scan and hash all that goes into its result."""
    with record.step("load") as step:
        image = reading.load_scan(request.scan, step)
        further_contrasts.refuse_twice(request.scan, reading.told_contrast_of(request.scan, image))
        return LoadedScan(image, request.identity())


def find_brain(scan: LoadedScan, request: SegmentRequest, record: Record) -> BrainInScan:
    """Find the brain, and even out a strong bias of the scan on the way."""
    from medunsup.preprocess.brain_extraction.field_of_view import seen_ranges

    asked = request.scan
    with record.step("brain mask", given=asked.mask is not None, method=asked.reading.brain) as step:
        even, found = find_brain_evened(scan.image, asked, step)
    box = Box.around(found.mask.data, within=None if found.is_stripped else seen_ranges(scan.image.data))
    return BrainInScan(even, found, box, _known(request, scan.image, found))


def tissue_input(
    scan: LoadedScan, brain: BrainInScan, request: SegmentRequest, record: Record
) -> Intensities:
    """Gather what a method may look at: contrasts in register and on one scale, and priors."""
    asked, box, found = request.scan, brain.box, brain.found
    channels, registered = {"image": box.take(brain.even)}, None
    if asked.contrasts:
        with record.step("contrasts", given=sorted(asked.contrasts)) as step:
            others, registered = further_contrasts.load_contrasts(
                asked.contrasts, brain.even, found.mask, step, asked.reading.coordinates
            )
            channels |= {name: box.take(volume) for name, volume in others.items()}
    mask = box.take(found.mask)
    mask = replace(mask, data=mask.data.copy())
    with record.step("priors") as step:
        known = priors(channels["image"], mask, found.registration, request, step)
    with record.step("contrast", asked=asked.reading.contrast) as step:
        told = reading.told_contrast_of(asked, scan.image)
        own = name_contrast(told, channels["image"].data, known, step)
        further_contrasts.refuse_twice(asked, own)
    contrasts = (own.name, *asked.contrasts)
    with record.step("normalise") as step:
        values, uneven = scale(channels.values(), contrasts, mask.data, step)
    spacing_mm = scan.image.spacing_mm
    return Intensities(values, mask.data, spacing_mm, contrasts, known, uneven[0], registered)


def priors(
    image: Volume, mask: Volume, registration: Registration, request: SegmentRequest, step: Step
) -> Array | None:
    """Spatial priors of the three tissues; None for other classes or a template that does not fit."""
    from medunsup.tissue.priors import tissue_priors

    if request.settings.tissues not in (len(TISSUES), "auto"):
        step.outcome = "skipped"
        return None
    if not registration.fits:
        step.warn("The template does not fit this scan, so intensities decide alone.", degraded=True)
        return None
    if request.prior is None:
        if request.settings.learn_prior:
            step.warn("No prior could be learned from these scans; the template's is used.")
        return tissue_priors(image, mask, registration)
    step.parameters["learned"] = request.prior.name
    return on_scan(read_maps(request.prior), image, mask, registration)


def _known(request: SegmentRequest, image: Volume, found: "Brain") -> "Known":
    """Gather what the verdict should know of how the scan was taken."""
    from medunsup.tissue.quality import Known
    from medunsup.tissue.quality.window import piled_up

    return Known(
        is_stripped=found.is_stripped,
        mask_given=request.scan.mask is not None,
        contrast_given=request.settings.contrast != "auto",
        contrast_agent=names_contrast_agent(request.scan.path.name)
        or bool(image.source and image.source.notes.get("contrast_agent")),
        reaches_bone=found.reaches_bone,
        at_ends=piled_up(image.data[found.mask.data]),
    )
