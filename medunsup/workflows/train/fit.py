"""From prepared healthy scans to all that a model folder keeps: weights, thresholds, data card, baselines."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import SplitName
from medunsup.cohort.training.progress import training_of
from medunsup.core.errors import UsageError
from medunsup.core.progress import Stage, Told
from medunsup.workflows.train.settings import PARAMETER, TrainSettings

if TYPE_CHECKING:
    from medunsup.anomaly.baselines import Baselines
    from medunsup.anomaly.fitted_detector import HealthyModel
    from medunsup.training.loop import Training
    from medunsup.training.scan_stack import Scans

Arrays = dict[str, NDArray[Any]]

N_SYNTHETIC_SCANS = 4
SYNTHETIC_MM3 = 2000.0
SYNTHETIC_SD = (-3.0, 3.0)
TABLE_COLUMNS = ("method", "words", "average_precision", "prevalence", "lesions")


@dataclass(frozen=True)
class Learned:
    """What comes out of a training.

    `shape` (C, I, J, K) is a scan's, `arrays` by name, `baselines` those of the baselines, `table` their rows
    beside the model's, `check` figures that can be computed again without any scan.
    """

    shape: tuple[int, int, int, int]
    arrays: Arrays
    baselines: Arrays
    table: list[tuple[str, ...]]
    check: dict[str, float]


def checked(settings: TrainSettings) -> TrainSettings:
    """Settle the score where none was asked for: a model without reconstruction has a map of its own.

    Raises UsageError for a model, score, step or parameter that does not exist or does not fit.
    """
    from medunsup.anomaly.base import offers
    from medunsup.anomaly.factory import build_model, build_score
    from medunsup.anomaly.postprocess import check_steps

    model = build_model(settings.model, settings.parameters)
    if "score" not in settings.model_fields_set and "reconstruct" not in offers(model):
        settings = settings.model_copy(update={"score": "deviation"})
    score = build_score(settings.score, settings.score_parameters, model=model)
    if not score.makes_map:
        raise UsageError(f"The score {settings.score} makes no map of a scan. Choose one that does.")
    check_steps(settings.postprocess)
    return settings


def has_epochs(settings: TrainSettings) -> bool:
    """Whether the model learns in epochs, and validation scans can decide when to stop."""
    from medunsup.anomaly.factory import build_model

    return "epochs" in type(build_model(settings.model, settings.parameters).config).model_fields


def learn(
    settings: TrainSettings,
    scans: Mapping[SplitName, "Scans"],
    out: Path,
    *,
    work: Path,
    coarsest_mm: float,
    resume: bool,
    told: Told,
    network: Any = None,
) -> Learned:
    """Fit model, score and baselines on the scans of "train", calibrate on those of "calibration".

    "validation" may be left out. `out` takes the checkpoints of a deep model, `work` what is not needed
    afterwards; `coarsest_mm` is the largest voxel side of the scans as they came; `network` is the encoder
    that the settings describe, with its weights.
    """
    from medunsup.anomaly.base import joined
    from medunsup.anomaly.baselines import Baselines
    from medunsup.anomaly.distribution_shift import learn_card
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    train, held_out = scans["train"], scans["calibration"]
    training = training_of(out, resume=resume, told=told) if has_epochs(settings) else None
    fitted = fit_and_calibrate(settings, scans, training=training, folder=work, told=told, network=network)
    told(Stage("learning the baselines"))
    baselines = Baselines(steps=settings.postprocess, spacing_mm=settings.spacing_mm).fit(train)
    told(Stage("gathering what healthy scans look like"))
    card = learn_card(train, coarsest_mm=coarsest_mm, middle=ModelSpace(settings.spacing_mm).middle)
    table = synthetic_table(fitted, baselines, held_out, told)
    beside = joined({"baseline_scores": baseline_scores(baselines, held_out), "card": card.state()})
    return Learned(
        shape=train.shape,
        arrays={**fitted.state(), **beside},
        baselines=baselines.state(),
        table=table,
        check=check_figures(fitted),
    )


def fit_and_calibrate(
    settings: TrainSettings,
    scans: Mapping[SplitName, "Scans"],
    *,
    training: "Training | None" = None,
    folder: Path | None = None,
    told: Told | None = None,
    network: Any = None,
) -> "HealthyModel":
    """Fit model, score and floors of the steps on "train", set the thresholds on "calibration".

    `folder` takes files that are not needed afterwards; `network` is the encoder that the settings describe.
    """
    from medunsup.anomaly.factory import build_model, build_score
    from medunsup.anomaly.fitted_detector import HealthyModel, calibrated
    from medunsup.anomaly.postprocess import learned_floors

    told = told or (lambda stage: None)
    train, steps, spacing_mm = scans["train"], settings.postprocess, settings.spacing_mm
    parameters = settings.parameters if network is None else {**settings.parameters, PARAMETER: network}
    model = build_model(settings.model, parameters)
    score = build_score(settings.score, settings.score_parameters, model=model)
    told(Stage("learning"))
    model.fit(train, validation=scans.get("validation"), training=training)
    told(Stage("learning the score"))
    score.fit(model, train)
    floors = learned_floors(steps, partial(score.map, model), train, (spacing_mm,) * 3)
    told(Stage("calibrating"))
    calibration = calibrated(
        model,
        score,
        steps,
        scans["calibration"],
        spacing_mm=spacing_mm,
        min_cluster_mm3=settings.min_cluster_mm3,
        floors=floors,
        folder=folder,
    )
    return HealthyModel(model, score, steps, train.shape, spacing_mm, calibration, floors)


def baseline_scores(baselines: "Baselines", scans: "Scans") -> dict[str, NDArray[np.float64]]:
    """Return each baseline's numbers for the calibration scans, (n,), sorted."""
    found = {}
    for name in baselines.scores_:
        numbers = [
            baselines.scan_score(name, values, mask, baselines.map(name, values, mask))
            for values, mask in scans
        ]
        found[name] = np.sort(np.asarray(numbers, dtype=np.float64))
    return found


def synthetic_table(
    fitted: "HealthyModel", baselines: "Baselines", held_out: "Scans", told: Told
) -> list[tuple[str, ...]]:
    """Average precision of the model and each baseline on synthetic lesions in calibration scans.

    Ellipsoids of 2 ml, 3 healthy standard deviations brighter and darker, the same for all.
    """
    from medunsup.anomaly.baselines import BASELINES
    from medunsup.anomaly.synthetic.sensitivity import SyntheticLesions, sensitivity_surface

    scans = held_out.take(range(min(N_SYNTHETIC_SCANS, len(held_out))))
    measure = partial(
        sensitivity_surface,
        scans=scans,
        lesions=SyntheticLesions((fitted.spacing_mm,) * 3),
        threshold=np.inf,
        volumes_mm3=(SYNTHETIC_MM3,),
        contrasts_sd=SYNTHETIC_SD,
        spread=baselines.spread,
    )
    maps: dict[str, tuple[str, Any]] = {
        "model": (f"{fitted.model.method_name} with {fitted.score.method_name}", fitted.map)
    }
    for name, score in baselines.scores_.items():
        if score.makes_map:
            maps[name] = (BASELINES[name].words, partial(baselines.map, name))
    rows: list[tuple[str, ...]] = []
    for n, (name, (words, score_map)) in enumerate(maps.items()):
        told(Stage(f"synthetic lesion test, method {n + 1} of {len(maps)}", n / len(maps)))
        found = measure(score_map)
        precision, prevalence = found.average_precision, found.prevalence
        rows.append((name, words, f"{precision.mean():.4f}", f"{prevalence.mean():.5f}", str(precision.size)))
    return rows


def check_figures(fitted: "HealthyModel") -> dict[str, float]:
    """Score the MNI152 template as if it were a scan: `models verify` does the same and compares."""
    from medunsup.preprocess.geometry.template import load_template
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.preprocess.intensity.reference_scale import healthy_scale

    space, template = ModelSpace(fitted.spacing_mm), load_template()
    mask = space.to_template_grid(template.mask, np.eye(4)) > 0.5
    scaled, _ = healthy_scale(space.to_template_grid(template.t1, np.eye(4)), mask, space.tissues)
    values = np.repeat(scaled[None], fitted.shape[0], axis=0)
    found = fitted.map(values, mask)
    return {
        "ScanScore": float(fitted.scan_score(values, mask, found)),
        "MapMean": float(found[mask].mean(dtype=np.float64)),
    }
