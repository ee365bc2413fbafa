"""Measure one case, top to bottom: read, cut to the brain, let every method look, measure, cut slices."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.evaluation import EvaluatedCase
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import Prepared, load_and_prepare
from medunsup.cohort.prepare_many import request_of
from medunsup.core.errors import InputError
from medunsup.core.volume import Volume
from medunsup.report.evaluate.case_slices import CaseSlice, cut_slices
from medunsup.workflows.detect.scan import unlike_healthy
from medunsup.workflows.evaluate.figures import MapFigures, above, map_figures, mask_figures
from medunsup.workflows.evaluate.judge import Judge
from medunsup.workflows.evaluate.lesions import true_lesions
from medunsup.workflows.evaluate.native_scan import NativeScan
from medunsup.workflows.evaluate.remarks import remarks
from medunsup.workflows.evaluate.score_maps import ModelMap, baseline_maps, model_map

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class MeasuredCase:
    """What is kept of a case: its figures, and the slices that the page shows."""

    figures: EvaluatedCase
    slices: tuple[CaseSlice, ...]


def measure(case: Case, judge: Judge, say: Say) -> MeasuredCase:
    """Prepare one scan as `detect` does, map it by each method and measure the map against all its lesions.

    Nothing is marked outside the brain mask: lesions there count as missed.

    Raises InputError or GeometryError if a file cannot be used, if the lesions lie on another grid, or if the
    model has seen the scan.
    """
    say("preparing")
    image, prepared = read_case(case, judge)
    lesions = true_lesions(case, image, judge.settings.coordinates)
    native = NativeScan.around_brain(image, prepared, lesions, judge.settings.spacing_mm)
    flags = unlike_healthy(judge.model, prepared, image)
    least_mm3 = judge.settings.least_part_mm3
    model = model_map(judge, prepared, native, say)
    scan_scores: dict[str, float] = {}
    found: dict[str, MapFigures] = {}
    for one in chain([model], baseline_maps(judge, prepared, native, say)):  # one map in memory at a time
        scan_scores[one.method] = one.scan_score
        found[one.method] = map_figures(native, one.voxels, least_mm3)
    marked = above(native, model.voxels, judge.threshold, least_mm3)
    figures = EvaluatedCase(
        scan=case.scan.name,
        subject=case.subject,
        site=case.site,
        is_ill=not case.is_healthy or native.has_lesions,
        scan_scores=scan_scores,
        figures={name: one.voxels for name, one in found.items() if one.voxels},
        froc={name: one.froc for name, one in found.items() if one.froc is not None},
        at_threshold=mask_figures(native, marked, least_mm3),
        steps=model.steps if native.has_lesions else {},
        p_value=judge.model.healthy.calibration.p_value(model.scan_score),
        lesions_outside_brain=native.lesions_outside_brain,
        facts=_facts(prepared),
        flags=tuple(flag.name for flag in flags),
        warnings=remarks(case, judge.model, prepared, flags, native, image.grid),
    )
    return MeasuredCase(figures, slices_of(judge, native, model, marked, is_flagged=bool(flags)))


def read_case(case: Case, judge: Judge) -> tuple[Volume, Prepared]:
    """Load a scan, and prepare it as the model's own scans were.

    Raises InputError if the model knows it, be it from another file.
    """
    request = request_of(case, judge.settings)
    image, prepared = load_and_prepare(request, judge.settings.spacing_mm, cache=judge.cache)
    if part := judge.model.contents.get(prepared.content):
        raise InputError(
            f"{case.scan}: the model has seen this scan in another file ({part}). Evaluate on others."
        )
    return image, prepared


def slices_of(
    judge: Judge, native: NativeScan, model: ModelMap, marked: NDArray[np.bool_], *, is_flagged: bool
) -> tuple[CaseSlice, ...]:
    """Cut what the page shows; map and findings of a scan with OOD flags mean little and are left out."""
    shown = native.brain & (not is_flagged)
    calibrated = judge.model.healthy.calibration.calibrated_map(model.voxels, shown)
    return cut_slices(native.image, native.brain, calibrated, marked & shown, native.lesions)


def _facts(prepared: Prepared) -> dict[str, Any]:
    """Name what may tell scanners apart."""
    spacing = " × ".join(f"{length:.2f}" for length in prepared.spacing_mm)
    return {"voxel size": spacing, "contrast": prepared.contrast}
