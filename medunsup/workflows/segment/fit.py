"""Scale, priors, method: what stands between a brain mask and a fitted tissue model."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.request import Request
from medunsup.core.labels import TISSUES, class_table
from medunsup.core.record import Step
from medunsup.core.registry import method as find_method
from medunsup.core.volume import Volume
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.workflows.segment.cohort_prior import on_scan, read_maps
from medunsup.workflows.segment.settings import SegmentSettings

Array = NDArray[np.float32]


def scale(
    channels: Iterable[Volume], contrasts: Sequence[str], mask: NDArray[np.bool_], step: Step
) -> tuple[Array, list[Volume | None]]:
    """Clip the tails and scale to [0, 1] inside the mask: (C, I, J, K), one channel a contrast.

    A strong bias of a T1w channel is evened out; the coarse fields it was divided by are given back, None
    where there is none.
    """
    from medunsup.preprocess.intensity.normalize import FENCES, TAILS_PERCENT

    step.parameters |= {"tails_percent": list(TAILS_PERCENT), "fences": FENCES}
    found = [
        scale_one(channel, contrast, mask, step)
        for channel, contrast in zip(channels, contrasts, strict=True)
    ]
    return np.stack([scaled for scaled, _ in found]), [field for _, field in found]


def scale_one(
    channel: Volume, contrast: str, mask: NDArray[np.bool_], step: Step
) -> tuple[Array, Volume | None]:
    """Scale one channel (I, J, K), with the coarse field of its strong bias if it had one."""
    from medunsup.preprocess.intensity.bias import field_on, strong_bias
    from medunsup.preprocess.intensity.normalize import FENCES, winsorize_and_scale

    fence = FENCES.get(contrast)
    scaled = winsorize_and_scale(channel.data, mask, fence=fence)
    if contrast != "T1w":  # elsewhere a large lesion may look like bias
        return scaled, None
    field = strong_bias(channel.like(scaled), channel.like(mask, kind="mask"), step=step)
    if field is not None:
        scaled /= field_on(field, channel.grid)
        scaled = winsorize_and_scale(scaled, mask, fence=fence)
    return scaled, field


def priors(image: Volume, mask: Volume, placement: Any, request: Request, step: Step) -> Array | None:
    """Spatial priors of the three tissues; None for other classes or a template that does not fit."""
    from medunsup.tissue.priors import tissue_priors

    if request.settings.tissues not in (len(TISSUES), "auto"):
        step.outcome = "skipped"
        return None
    if not placement.fits:
        step.warn("The template does not fit this scan, so intensities decide alone.", degraded=True)
        return None
    if request.prior is None:
        if request.settings.learn_prior:
            step.warn("No prior could be learned from these scans; the template's is used.")
        return tissue_priors(image, mask, placement)
    step.parameters["learned"] = request.prior.name
    return on_scan(read_maps(request.prior), image, mask, placement)


def prepare(
    intensity: Array,
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    contrasts: tuple[str, ...],
    priors: Array | None,
    settings: SegmentSettings,
    step: Step,
) -> TissueInput:
    """Gather what a method may use; `tissues="auto"` is settled here: unless on 3, without priors."""
    n_classes = settings.tissues
    if n_classes == "auto":
        n_classes = propose_classes(intensity, mask, settings, step)
    known = priors if n_classes == len(TISSUES) else None
    return TissueInput(intensity, mask, spacing_mm, contrasts, class_table(n_classes), known)


def propose_classes(intensity: Array, mask: NDArray[np.bool_], settings: SegmentSettings, step: Step) -> int:
    """Settle the number of classes that the intensities propose; the curves go into `step`."""
    from medunsup.tissue.choose_k import choose_k

    selection = choose_k(intensity, mask, seed=settings.seed)
    step.findings["model_selection"] = selection.as_dict()
    return selection.chosen


def fit(data: TissueInput, settings: SegmentSettings, step: Step) -> TissueMethod:
    """Build the method with its parameters and fit it."""
    fitted = build(settings).fit(data)
    step.parameters |= fitted.parameters
    step.findings |= {"iterations": fitted.n_iter_, "converged": fitted.converged_}
    if not fitted.converged_:
        step.warn(f"{settings.method} stopped after {fitted.n_iter_} iterations before it had converged.")
    return fitted


def build(settings: SegmentSettings) -> Any:
    """Make the method, with its own parameters checked and the seed passed on.

    Raises UsageError that names the nearest method or parameter.
    """
    kind: Any = find_method("tissue", settings.method)
    values = dict(settings.parameters)
    if "seed" in kind.Config.model_fields:
        values.setdefault("seed", settings.seed)
    return kind(kind.Config.parse(values, where=f"parameters of {settings.method}"))
