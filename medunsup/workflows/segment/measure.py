"""From a model fitted on the brain's box to volumes, a verdict, and maps of the whole scan."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import Label
from medunsup.core.record import Step
from medunsup.core.volume import Kind, Volume
from medunsup.preprocess.geometry.crop import Box
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.tissue.result import Fit, Quality, TissueVolume
from medunsup.workflows.segment.remarks import remarks
from medunsup.workflows.segment.settings import SegmentSettings

if TYPE_CHECKING:
    from medunsup.tissue.quality import Known

HISTOGRAM_BINS = 128


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


def judge(
    data: TissueInput,
    fitted: TissueMethod,
    measured: tuple[TissueVolume, ...],
    placement: Any,
    image: Volume,
    box: Box,
    known: "Known",
    step: Step,
    *,
    fit: Fit,
) -> Quality:
    """Judge the result and say why, with what lies around the brain and remarks on scan and classes."""
    from medunsup.tissue.quality import assess

    verdict = assess(data, fitted, measured, placement, scan=image, origin=box.origin, known=known)
    step.findings |= {"verdict": verdict.verdict, "measures": verdict.measures}
    return replace(verdict, reasons=(*verdict.reasons, *remarks(image, placement, fit.model_selection)))


def describe_fit(data: TissueInput, fitted: TissueMethod, settings: SegmentSettings, step: Step) -> Fit:
    """Gather what the report shows of the mixture, with the histogram of the first contrast.

    `step` is the mixture's own: it holds the curves by which the number of classes was proposed, if it was.
    """
    values = data.intensity[0][data.mask]
    if (field := fitted.bias_field_) is not None:
        values /= field[0][data.mask]
    counts, edges = np.histogram(values, bins=HISTOGRAM_BINS)
    return Fit(
        method=settings.method,
        components=fitted.components_,
        log_likelihood=fitted.log_likelihood_,
        converged=fitted.converged_,
        histogram_counts=tuple(int(count) for count in counts),
        histogram_edges=tuple(float(edge) for edge in edges),
        model_selection=step.findings.get("model_selection"),
    )


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


def fractions(
    image: Volume, box: Box, found: NDArray[np.float32], labels: tuple[Label, ...]
) -> dict[str, Volume]:
    """Put each tissue's fractions (K, I, J, K') back on the whole scan, by abbreviation."""
    return {
        label.abbreviation: on_scan(image, box, fraction, "probability")
        for label, fraction in zip(labels, found, strict=True)
    }


def on_scan(image: Volume, box: Box, block: NDArray[Any], kind: Kind) -> Volume:
    """Put one map of the box back on the whole scan, 0 elsewhere."""
    return image.like(box.put_back(block), kind=kind)
