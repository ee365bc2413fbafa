"""Synthetic lesions in the healthy cases of an evaluation: how small, how faint, at which intensities."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.anomaly.evaluation import SyntheticFigures
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare_many import stack
from medunsup.cohort.reading import region_of
from medunsup.core.errors import EmptyImageError, InputError
from medunsup.core.paths import check_folder
from medunsup.io.bids.names import IMAGE_ENDINGS
from medunsup.io.files.hashes import hash_input
from medunsup.io.files.walk import files_below
from medunsup.workflows.evaluate.judge import Judge

VOLUMES_MM3 = (300.0, 1000.0, 3000.0, 10000.0)
CONTRASTS_SD = (-8.0, -5.0, -3.0, -2.0, 0.0, 2.0, 3.0, 5.0, 8.0)
LEVELS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05, 1.2)
LEVEL_VOLUME_MM3 = 3000.0
GRID = (VOLUMES_MM3, CONTRASTS_SD, LEVELS, LEVEL_VOLUME_MM3)
LEAST_SHAPE_MM3 = 200.0  # of smaller ones the voxels show more than the lesion

if TYPE_CHECKING:
    from medunsup.anomaly.synthetic.shapes import Spacing
    from medunsup.training.scan_stack import Mask


@dataclass(frozen=True, eq=False)
class LesionShapes:
    """Real lesions, each a mask cut to its box and the spacing of its voxels; the hash of their files."""

    shapes: "list[tuple[Mask, Spacing]]"
    sha256: str


def measure_synthetic(
    cases: Sequence[Case], judge: Judge, work: Path, real: LesionShapes | None = None
) -> SyntheticFigures:
    """Insert lesions into healthy cases on the template grid and look for them at the healthy threshold.

    Their shapes are `real` ones, or ellipsoids. Contrasts are in the healthy spread that the folder's
    `healthy_atlas` baseline learned.
    """
    from medunsup.anomaly.synthetic.sensitivity import SyntheticLesions, blind_spot_curve, sensitivity_surface
    from medunsup.anomaly.synthetic.shapes import drawn_from

    healthy = judge.model.healthy
    scans = stack(cases, judge.settings, judge.cache, work, "healthy")
    spacing_mm = (healthy.spacing_mm,) * 3
    shape = drawn_from(real.shapes, spacing_mm=spacing_mm) if real else None
    lesions = SyntheticLesions(spacing_mm, shape=shape)
    search = {"threshold": judge.threshold, "min_cluster_mm3": healthy.calibration.min_cluster_mm3}
    surface = sensitivity_surface(
        healthy.map,
        scans,
        lesions,
        volumes_mm3=VOLUMES_MM3,
        contrasts_sd=CONTRASTS_SD,
        spread=judge.model.baselines.spread,
        **search,
    )
    curve = blind_spot_curve(
        healthy.map, scans, lesions, levels=LEVELS, volume_mm3=LEVEL_VOLUME_MM3, **search
    )
    return SyntheticFigures(
        volumes_mm3=VOLUMES_MM3,
        contrasts_sd=CONTRASTS_SD,
        sensitivity=tuple(tuple(float(share) for share in row) for row in surface.sensitivity),
        levels=LEVELS,
        level_volume_mm3=LEVEL_VOLUME_MM3,
        average_precision=tuple(float(value) for value in curve.average_precision.mean(axis=-1)),
        prevalence=float(curve.prevalence.mean()),
        false_positives=curve.false_positives,
        n_lesions=len(scans),
        shapes=f"real shapes, drawn from {len(real.shapes)}" if real else "ellipsoids",
    )


def read_shapes(folder: Path) -> LesionShapes:
    """Cut the lesion masks of a folder into single lesions, each with the spacing of its voxels.

    Raises InputError if there is none of at least 0.2 ml, or if an image is no mask.
    """
    from medunsup.anomaly.synthetic.shapes import real_shapes
    from medunsup.io.load import load

    check_folder(folder)
    found: list[tuple[Mask, Spacing]] = []
    for path in (path for path in files_below(folder) if path.name.lower().endswith(IMAGE_ENDINGS)):
        try:
            stored = load(path)
        except EmptyImageError:
            continue
        marked = region_of(path, stored.data)
        shapes = real_shapes(marked, spacing_mm=stored.spacing_mm, least_mm3=LEAST_SHAPE_MM3)
        found += [(shape, stored.spacing_mm) for shape in shapes]
    if not found:
        raise InputError(
            f"{folder}: holds no mask with a lesion of {LEAST_SHAPE_MM3 / 1000:g} ml or more. "
            "Give a folder of lesion masks (NIfTI)."
        )
    return LesionShapes(found, hash_input(folder))
