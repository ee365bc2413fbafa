"""Measure one scan: the model's map and every baseline's, in the scan's own voxels, against its lesions."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import Prepared, load, prepare
from medunsup.cohort.prepare_many import request_of
from medunsup.cohort.reading import region_of
from medunsup.core.errors import EmptyImageError, GeometryError, InputError
from medunsup.core.geometry import Affine, Grid, check_same_grid
from medunsup.core.volume import Volume
from medunsup.metrics.case_figures import LEAST_OUTSIDE, CaseFigures
from medunsup.metrics.comparison import MODEL
from medunsup.metrics.components import components
from medunsup.metrics.detection import NAN, average_precision, detection, overlap
from medunsup.metrics.froc import count_lesions
from medunsup.metrics.pooled_froc import froc_of_scan
from medunsup.workflows.detect.known_subject import known_subject
from medunsup.workflows.detect.scan import unlike_healthy
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.train.model_folder import ModelFolder
from medunsup.workflows.train.settings import TrainSettings

if TYPE_CHECKING:
    from medunsup.anomaly.baselines import Baselines

MARGIN_VOXELS = 9  # more than the widest median, so that cropping changes no map

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Judge:
    """What all scans are measured with: a model folder, baselines (None: none), the healthy threshold."""

    model: ModelFolder
    baselines: "Baselines | None"
    threshold: float
    cache: Path

    @property
    def settings(self) -> TrainSettings:
        """How scans are prepared: as the model's were, but each by its own contrast, as `detect` takes it."""
        return self.model.settings.model_copy(update={"contrast": "auto"})


def measure(case: Case, judge: Judge, say: Say) -> CaseFigures:
    """Prepare one scan as `detect` does, map it by each method and measure the map against all its lesions.

    Nothing is marked outside the brain mask: lesions there count as missed.

    Raises InputError or GeometryError if a file cannot be used, if the lesions lie on another grid, or if the
    model has seen the scan.
    """
    say("preparing")
    request = request_of(case, judge.settings)
    prepared = prepare(request, judge.settings.spacing_mm, cache=judge.cache)
    if part := judge.model.contents.get(prepared.content):
        raise InputError(
            f"{case.scan}: the model has seen this scan in another file ({part}). Evaluate on others."
        )
    image = load(request)
    truth = true_lesions(case, image, request.settings)
    native = _Native.of(image, prepared, truth)
    flagged = unlike_healthy(judge.model, prepared, image)
    sentences = (flag.sentence for flag in flagged)
    lesions = None if truth is None else truth[native.box]
    found = _Found(lesions, native, judge.settings.least_part_mm3)
    warnings = [*prepared.warnings, *sentences, *_warnings(case, judge, found, image.grid)]
    steps = {}
    for step, score_map in model_maps(judge, prepared):
        say(f"model, {step}")
        back = native.carry_back(judge.model, prepared, score_map)
        steps[step] = found.average_precision(back)
    scan_score = judge.model.healthy.scan_score(prepared.values, prepared.mask, score_map)
    found.add(MODEL, back, scan_score)
    for name, baseline_map, number in baseline_maps(judge, prepared, native):
        say(name)
        found.add(name, baseline_map, number)
    marked = found.marked(back, judge.threshold)
    picture, slices = found.picture(judge, back, marked, means_something=not flagged)
    return CaseFigures(
        scan=case.scan.name,
        subject=case.subject,
        site=case.site,
        is_ill=not case.is_healthy or found.has_lesions,
        scan_scores=found.scan_scores,
        figures=found.figures,
        froc=found.froc,
        at_threshold=found.at_threshold(marked),
        steps=steps if found.has_lesions else {},
        p_value=judge.model.healthy.calibration.p_value(scan_score),
        lesions_outside_brain=found.share_outside,
        facts=_facts(prepared),
        flags=tuple(flag.name for flag in flagged),
        warnings=tuple(dict.fromkeys(warnings)),
        picture=picture,
        slices=slices,
    )


def model_maps(judge: Judge, prepared: Prepared) -> Iterator[tuple[str, Array]]:
    """Yield the model's map on the lattice, as the score gives it ("none") and after each step."""
    from medunsup.anomaly.postprocess import apply_step, with_floors

    healthy = judge.model.healthy
    score_map = healthy.score.map(healthy.model, prepared.values, prepared.mask)
    yield "none", score_map
    for step, floor in with_floors(healthy.steps, healthy.floors):
        score_map = apply_step(step, score_map, prepared.mask, (healthy.spacing_mm,) * 3, floor)
        yield step, score_map


def baseline_maps(
    judge: Judge, prepared: Prepared, native: "_Native"
) -> Iterator[tuple[str, Array | None, float]]:
    """Yield each baseline's name, its map in the scan's own voxels (None if it makes none), its number."""
    from medunsup.anomaly.baselines import BASELINES

    baselines = judge.baselines
    if baselines is None:
        return
    for name in baselines.scores_:
        is_native = BASELINES[name].native
        values, mask = (native.values[None], native.brain) if is_native else (prepared.values, prepared.mask)
        score_map = baselines.map(name, values, mask)
        number = baselines.scan_score(name, values, mask, score_map)
        if score_map is not None and not is_native:
            score_map = native.carry_back(judge.model, prepared, score_map)
        yield name, score_map, float(number)


def true_lesions(case: Case, image: Volume, settings: SegmentSettings) -> Mask | None:
    """Read the lesions (I, J, K); none where the table says the scan is healthy, None where nothing is known.

    Raises GeometryError if the mask lies on another grid than the scan, InputError if it is no mask, or if a
    scan named healthy has lesions.
    """
    from medunsup.io.load import load as load_file

    if case.lesions is None:
        return np.zeros(image.shape, dtype=bool) if case.is_healthy else None
    try:
        given = load_file(case.lesions, coordinates=settings.coordinates)
    except EmptyImageError:
        return np.zeros(image.shape, dtype=bool)
    try:
        check_same_grid(given.grid, image.grid, "the lesions and the scan")
    except GeometryError as error:
        raise GeometryError(f"{case.lesions}: {error}") from error
    truth = region_of(case.lesions, given.data)
    if case.group and case.is_healthy and truth.any():
        raise InputError(f"{case.scan}: is named {case.group}, but its lesion mask is not empty.")
    return truth


@dataclass(frozen=True, eq=False)
class _Native:
    """The scan around its brain and lesions: `values` and `brain` (I, J, K) cut to `box`, and their grid."""

    values: Array
    brain: Mask
    box: tuple[slice, slice, slice]
    grid: Grid

    @classmethod
    def of(cls, image: Volume, prepared: Prepared, truth: Mask | None) -> "_Native":
        """Cut a scan to its brain, its lesions and a margin."""
        from medunsup.preprocess.geometry.resample import bounding_box

        shown = prepared.brain if truth is None else prepared.brain | truth
        box = bounding_box(shown, (MARGIN_VOXELS,) * 3)
        brain = prepared.brain[box]
        affine: Affine = image.affine.copy()
        affine[:3, 3] = affine[:3, :3] @ [part.start for part in box] + affine[:3, 3]
        values = image.data[box].astype(np.float32, copy=False)
        return cls(values, brain, box, Grid(brain.shape, affine))

    def carry_back(self, model: ModelFolder, prepared: Prepared, score_map: Array) -> Array:
        """Bring a map of the lattice onto these voxels."""
        from medunsup.preprocess.geometry.template_grid import ModelSpace

        space = ModelSpace(model.settings.spacing_mm)
        return space.carry_back(score_map, prepared.placement_mm, self.grid)


class _Found:
    """Gathers the figures of one scan, method after method; no map is kept."""

    def __init__(self, truth: Mask | None, native: _Native, least_part_mm3: float) -> None:
        self.truth, self.native, self.least_part_mm3 = truth, native, least_part_mm3
        self.has_lesions = truth is not None and bool(truth.any())
        self.scan_scores: dict[str, float] = {}
        self.figures: dict[str, dict[str, float]] = {}
        self.froc: dict[str, Any] = {}

    def add(self, name: str, score_map: Array | None, scan_score: float) -> None:
        """Measure one method's map, if it makes one and the truth is known."""
        self.scan_scores[name] = float(scan_score)
        if score_map is None or self.truth is None:
            return
        brain = self.native.brain
        if self.has_lesions:
            self.figures[name] = asdict(detection(score_map, self.truth, brain))
        self.froc[name] = froc_of_scan(
            score_map,
            self.truth,
            brain,
            voxel_mm3=self.native.grid.voxel_volume_mm3,
            least_part_mm3=self.least_part_mm3,
        )

    def picture(
        self, judge: Judge, score_map: Array, marked: Mask, *, means_something: bool
    ) -> tuple[str, str]:
        """Draw what the model found, if it means something, and the true lesions.

        Returns a data address, and in words where it was cut.
        """
        from medunsup.report.evaluate.case_picture import case_picture

        native, truth = self.native, self.truth
        shown = native.brain & means_something
        calibrated = judge.model.healthy.calibration.calibrated_map(score_map, shown)
        image = Volume(native.values, native.grid.affine)
        return case_picture(image, native.brain, calibrated, marked & shown, truth)

    def marked(self, score_map: Array, threshold: float) -> Mask:
        """Mark what exceeds the threshold, without small parts, as `detect` writes it."""
        above, voxel_mm3 = score_map > threshold, self.native.grid.voxel_volume_mm3
        parts = components(above & self.native.brain, voxel_mm3=voxel_mm3, least_mm3=self.least_part_mm3)
        return np.asarray(parts[0] > 0)

    def at_threshold(self, kept: Mask) -> dict[str, float]:
        """Judge what is marked."""
        if self.truth is None:
            return {}
        voxel_mm3 = self.native.grid.voxel_volume_mm3
        counts = count_lesions(kept, self.truth, voxel_mm3=voxel_mm3, least_part_mm3=self.least_part_mm3)
        found = {"lesions": counts.n_lesions, "lesions_found": counts.n_found}
        return {**overlap(kept, self.truth), **found, "false_findings": counts.n_false}

    def average_precision(self, score_map: Array) -> float:
        """Average precision of a map; NaN without lesions."""
        if self.truth is None or not self.has_lesions:
            return NAN
        return average_precision(score_map, self.truth, self.native.brain)

    @property
    def share_outside(self) -> float:
        """Share of the lesions' voxels outside the brain mask; NaN without lesions."""
        if self.truth is None or not self.has_lesions:
            return NAN
        return float((self.truth & ~self.native.brain).sum() / self.truth.sum())


def _warnings(case: Case, judge: Judge, found: _Found, grid: Grid) -> Iterator[str]:
    known = known_subject(judge.model, case.scan, case.subject, grid)
    if known.subject and not known.is_elsewhere:
        yield (
            f"The model has seen a subject of this name ({known.part}): if it is the same one, this flatters."
        )
    if found.share_outside >= LEAST_OUTSIDE:
        yield (
            f"{found.share_outside:.0%} of the lesions lie outside the brain mask and count as missed. "
            "Look at the mask; give one that holds them in the table's column mask."
        )
    if not found.has_lesions and case.lesions is not None:
        yield "The lesion mask is empty."


def _facts(prepared: Prepared) -> dict[str, Any]:
    """Name what may tell scanners apart."""
    spacing = " × ".join(f"{length:.2f}" for length in prepared.facts["spacing_mm"])
    return {"voxel size": spacing, "contrast": prepared.contrast}
