"""Measure one case, top to bottom: read, cut to the brain, let every method look, measure, cut slices."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.evaluation import EvaluatedCase
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import Prepared, load_and_prepare
from medunsup.cohort.prepare_many import request_of
from medunsup.core.errors import InputError
from medunsup.core.geometry import Grid
from medunsup.report.evaluate.case_slices import CaseSlice, cut_slices
from medunsup.workflows.detect.scan import unlike_healthy
from medunsup.workflows.evaluate.figures import MapFigures, above, map_figures, mask_figures
from medunsup.workflows.evaluate.judge import Judge
from medunsup.workflows.evaluate.lesions import true_lesions
from medunsup.workflows.evaluate.native_scan import NativeScan
from medunsup.workflows.evaluate.remarks import remarks
from medunsup.workflows.evaluate.score_maps import ModelMap, baseline_maps, model_map

if TYPE_CHECKING:
    from medunsup.anomaly.result import Flag

Mask = NDArray[np.bool_]
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class ReadCase:
    """One case ready to be measured: on the template grid, in native space, and what sets it apart.

    `grid` is the scan's own, before it was cut to the brain.
    """

    case: Case
    prepared: Prepared
    native: NativeScan
    grid: Grid
    flags: "tuple[Flag, ...]"


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
    read = read_case(case, judge)
    model = model_map(judge, read.prepared, read.native, say)
    methods = measure_methods(judge, read, model, say)
    marked = above(read.native, model.voxels, judge.threshold, judge.min_cluster_mm3)
    return MeasuredCase(assemble(judge, read, model, methods, marked), slices_of(judge, read, model, marked))


def read_case(case: Case, judge: Judge) -> ReadCase:
    """Load a scan and its lesions, and prepare it as the model's own scans were.

    Raises InputError if the model knows it, be it from another file.
    """
    request, spacing_mm = request_of(case, judge.settings), judge.settings.spacing_mm
    image, prepared = load_and_prepare(request, spacing_mm, cache=judge.cache)
    if split := judge.model.contents.get(prepared.content):
        raise InputError(
            f"{case.scan}: the model has seen this scan in another file ({split}). Evaluate on others."
        )
    lesions = true_lesions(case, image, judge.settings.coordinates)
    native = NativeScan.around_brain(image, prepared, lesions, spacing_mm)
    return ReadCase(case, prepared, native, image.grid, unlike_healthy(judge.model, prepared, image))


def measure_methods(judge: Judge, read: ReadCase, model: ModelMap, say: Say) -> dict[str, MapFigures]:
    """Measure the model and each baseline, by name; no map of a baseline outlives its turn."""
    maps = chain([model], baseline_maps(judge, read.prepared, read.native, say))
    return {
        one.method: map_figures(read.native, one.voxels, one.scan_score, judge.min_cluster_mm3)
        for one in maps
    }


def assemble(
    judge: Judge, read: ReadCase, model: ModelMap, methods: dict[str, MapFigures], marked: Mask
) -> EvaluatedCase:
    """Gather all figures of a case, and what is remarked on it."""
    case, prepared, native = read.case, read.prepared, read.native
    return EvaluatedCase(
        scan=case.scan.name,
        subject=case.subject,
        site=case.site,
        is_ill=not case.is_healthy or native.has_lesions,
        scan_scores={name: one.scan_score for name, one in methods.items()},
        figures={name: one.voxels for name, one in methods.items() if one.voxels},
        froc={name: one.froc for name, one in methods.items() if one.froc is not None},
        at_threshold=mask_figures(native, marked, judge.min_cluster_mm3),
        steps=model.steps if native.has_lesions else {},
        p_value=judge.model.healthy.calibration.p_value(model.scan_score),
        lesions_outside_brain=native.lesions_outside_brain,
        facts=_facts(prepared),
        flags=tuple(flag.name for flag in read.flags),
        warnings=remarks(case, judge.model, prepared, read.flags, native, read.grid),
    )


def slices_of(judge: Judge, read: ReadCase, model: ModelMap, marked: Mask) -> tuple[CaseSlice, ...]:
    """Cut what the page shows; map and findings of a scan with OOD flags mean little and are left out."""
    native = read.native
    shown = native.brain & (not read.flags)
    calibrated = judge.model.healthy.calibration.calibrated_map(model.voxels, shown)
    return cut_slices(native.image, native.brain, calibrated, marked & shown, native.lesions)


def _facts(prepared: Prepared) -> dict[str, Any]:
    """Name what may tell scanners apart."""
    spacing = " × ".join(f"{length:.2f}" for length in prepared.spacing_mm)
    return {"voxel size": spacing, "contrast": prepared.contrast}
