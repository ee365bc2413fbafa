"""Fit the method: settle the number of classes, build it with its parameters, describe what it found."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from medunsup.core.labels import TISSUES, class_table
from medunsup.core.record import Record, Step
from medunsup.core.registry import method as find_method
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.tissue.result import Fit
from medunsup.workflows.segment.inputs import Intensities
from medunsup.workflows.segment.settings import SegmentSettings

if TYPE_CHECKING:
    from medunsup.tissue.choose_k import ModelSelection

HISTOGRAM_BINS = 128


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted method, what it was fitted on (without the priors), and what the report shows of it."""

    data: TissueInput
    method: TissueMethod
    description: Fit


def fit(given: Intensities, settings: SegmentSettings, record: Record) -> Fitted:
    """Fit the method that the settings name; `tissues="auto"` is settled here: unless on 3, no priors."""
    with record.step("mixture", method=settings.method) as step:
        n_classes, selection = settings.tissues, None
        if n_classes == "auto":
            selection = propose_classes(given, settings, step)
            n_classes = selection.chosen
        known = given.priors if n_classes == len(TISSUES) else None
        if given.priors is not None and known is None:
            record.mark("priors", "skipped")  # for the number of classes that was settled on
        data = TissueInput(
            given.values, given.mask, given.spacing_mm, given.contrasts, class_table(n_classes), known
        )
        fitted = fit_method(data, settings, step)
        description = describe_fit(data, fitted, settings, selection)
        return Fitted(replace(data, priors=None), fitted, description)


def propose_classes(given: Intensities, settings: SegmentSettings, step: Step) -> "ModelSelection":
    """Settle the number of classes that the intensities propose; the curves go into `step`."""
    from medunsup.tissue.choose_k import choose_k

    selection = choose_k(given.values, given.mask, seed=settings.seed)
    step.findings["model_selection"] = selection.as_dict()
    return selection


def fit_method(data: TissueInput, settings: SegmentSettings, step: Step) -> TissueMethod:
    """Build the method with its parameters and fit it."""
    fitted: TissueMethod = build(settings).fit(data)
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


def describe_fit(
    data: TissueInput, fitted: TissueMethod, settings: SegmentSettings, selection: "ModelSelection | None"
) -> Fit:
    """Gather what the report shows of the mixture, with the histogram of the first contrast.

    `selection` is the choice of the number of classes, if it was not given.
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
        model_selection=None if selection is None else selection.as_dict(),
    )
