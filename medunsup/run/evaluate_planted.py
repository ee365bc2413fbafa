"""Plant lesions into the healthy cases of an evaluation: how small, how faint, and at which intensities."""

from collections.abc import Sequence
from pathlib import Path

from medunsup.measures.evaluation import PlantedFigures
from medunsup.run.evaluate_case import Judge
from medunsup.run.prepare_many import stack
from medunsup.run.sources import Case

VOLUMES_MM3 = (300.0, 1000.0, 3000.0, 10000.0)
CONTRASTS_SD = (-3.0, -2.0, 0.0, 2.0, 3.0)
LEVELS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05, 1.2)
LEVEL_VOLUME_MM3 = 3000.0


def plant_lesions(cases: Sequence[Case], judge: Judge, work: Path) -> PlantedFigures:
    """Plant ellipsoids into healthy cases on the model's lattice and look for them at the healthy threshold.

    Contrasts are in the healthy spread that the folder's `healthy_atlas` baseline learned.
    """
    from medunsup.anomaly.sensitivity import Planting, blind_spot_curve, sensitivity_surface

    healthy = judge.model.healthy
    scans = stack(cases, judge.model.settings, judge.cache, work, "healthy")
    planting = Planting((healthy.spacing_mm,) * 3)
    search = {"threshold": judge.threshold, "least_part_mm3": healthy.calibration.least_part_mm3}
    surface = sensitivity_surface(
        healthy.map,
        scans,
        planting,
        volumes_mm3=VOLUMES_MM3,
        contrasts_sd=CONTRASTS_SD,
        spread=judge.model.baselines.models_["healthy_atlas"].statistics_.sd,
        **search,
    )
    curve = blind_spot_curve(
        healthy.map, scans, planting, levels=LEVELS, volume_mm3=LEVEL_VOLUME_MM3, **search
    )
    return PlantedFigures(
        volumes_mm3=VOLUMES_MM3,
        contrasts_sd=CONTRASTS_SD,
        sensitivity=tuple(tuple(float(share) for share in row) for row in surface.sensitivity),
        levels=LEVELS,
        level_volume_mm3=LEVEL_VOLUME_MM3,
        average_precision=tuple(float(value) for value in curve.average_precision.mean(axis=-1)),
        prevalence=float(curve.prevalence.mean()),
        false_positives=curve.false_positives,
        n_lesions=len(scans),
    )
