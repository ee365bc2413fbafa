"""From a model fitted on the brain's box to volumes, a verdict, and maps of the whole scan."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import Label
from medunsup.core.record import Record, Step
from medunsup.core.volume import Kind, Volume
from medunsup.preprocess.geometry.crop import Box
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.tissue.result import Fit, Quality, TissueVolume
from medunsup.workflows.segment.fit import Fitted
from medunsup.workflows.segment.inputs import BrainInScan, Intensities, LoadedScan
from medunsup.workflows.segment.remarks import remarks


@dataclass(frozen=True, eq=False)
class BoxMaps:
    """The maps of the result as blocks (I, J, K) of the box; `corrected` is the whole scan."""

    box: Box
    mask: NDArray[np.bool_]
    labels: NDArray[Any]
    entropy: NDArray[np.float32]
    fractions: NDArray[np.float32]
    classes: tuple[Label, ...]
    corrected: Volume

    def on_scan(self, image: Volume, block: NDArray[Any], kind: Kind) -> Volume:
        """Put one map back on the whole scan, 0 elsewhere."""
        return image.like(self.box.put_back(block), kind=kind)

    def fractions_on_scan(self, image: Volume) -> dict[str, Volume]:
        """Put each tissue's fractions back on the whole scan, by abbreviation."""
        return {
            label.abbreviation: self.on_scan(image, fraction, "probability")
            for label, fraction in zip(self.classes, self.fractions, strict=True)
        }


@dataclass(frozen=True, eq=False)
class Measured:
    """All that outlives the fit: what it says of the scan, and its maps as blocks of the box."""

    volumes: tuple[TissueVolume, ...]
    quality: Quality
    fit: Fit
    parameters: dict[str, Any]
    registration: Registration
    is_stripped: bool
    maps: BoxMaps


def measured(
    scan: LoadedScan, brain: BrainInScan, given: Intensities, fitted: Fitted, record: Record
) -> Measured:
    """Measure the tissues, judge the result, and take from the method what is shown of it."""
    with record.step("volumes") as step:
        volumes = measure(fitted.data, fitted.method, scan.image.voxel_volume_mm3, step)
    with record.step("quality") as step:
        quality = judge(brain, given, fitted, volumes, step)
    return Measured(
        volumes=volumes,
        quality=quality,
        fit=fitted.description,
        parameters=fitted.method.parameters,
        registration=brain.found.registration,
        is_stripped=brain.found.is_stripped,
        maps=maps(brain, given, fitted),
    )


def judge(
    brain: BrainInScan,
    given: Intensities,
    fitted: Fitted,
    volumes: tuple[TissueVolume, ...],
    step: Step,
) -> Quality:
    """Judge the result and say why, with what lies around the brain and remarks on scan and classes."""
    from medunsup.tissue.quality import assess

    registration, even = brain.found.registration, brain.even
    known = replace(brain.known, before=given.registered)
    verdict = assess(
        fitted.data, fitted.method, volumes, registration, scan=even, origin=brain.box.origin, known=known
    )
    step.findings |= {"verdict": verdict.verdict, "measures": verdict.measures}
    more = remarks(even, registration, fitted.description.model_selection)
    return replace(verdict, reasons=(*verdict.reasons, *more))


def maps(brain: BrainInScan, given: Intensities, fitted: Fitted) -> BoxMaps:
    """Take what is shown of the method, so that the rest of it need not be kept; and correct the scan."""
    method = fitted.method
    return BoxMaps(
        box=brain.box,
        mask=given.mask,
        labels=method.labels_,
        entropy=method.entropy_,
        fractions=method.fractions_,
        classes=fitted.data.labels,
        corrected=corrected(brain.even, brain.box, method, given.uneven),
    )


def measure(
    data: TissueInput, fitted: TissueMethod, voxel_mm3: float, step: Step
) -> tuple[TissueVolume, ...]:
    """Measure each tissue in mm³, from partial volume fractions and from labels."""
    mask_mm3 = float(np.count_nonzero(data.mask)) * voxel_mm3
    counts = np.bincount(fitted.labels_[data.mask], minlength=max(label.index for label in data.labels) + 1)
    measured = []
    for label, fraction in zip(data.labels, fitted.fractions_, strict=True):
        mm3 = float(fraction.sum(dtype=np.float64)) * voxel_mm3
        labels_mm3 = float(counts[label.index]) * voxel_mm3
        measured.append(TissueVolume(label, mm3, labels_mm3, mm3 / mask_mm3))
    step.findings["volumes_mm3"] = {
        item.label.abbreviation: round(item.from_fractions_mm3, 1) for item in measured
    }
    step.findings["mask_mm3"] = round(mask_mm3, 1)
    return tuple(measured)


def corrected(image: Volume, box: Box, fitted: TissueMethod, uneven: Volume | None) -> Volume:
    """Divide the scan by its bias: the mixture's field, continued beyond the box, and a strong one before."""
    from medunsup.preprocess.intensity.bias import field_on

    found = fitted.bias_field_
    if found is None and uneven is None:
        return image
    field = np.ones(image.shape, np.float32) if found is None else box.extend(found[0])
    if uneven is not None:
        field *= field_on(uneven, image.grid)
    return image.like(np.divide(image.data, field, out=field))
