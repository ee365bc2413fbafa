"""A model folder made in a second: an atlas of a few small scans, calibrated on others, with baselines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medunsup.anomaly.baselines import Baselines
from medunsup.anomaly.build import build_model, build_score
from medunsup.anomaly.data import Scans
from medunsup.anomaly.guards import learn_card
from medunsup.anomaly.healthy_model import HealthyModel, calibrated
from medunsup.anomaly.space import ModelSpace
from medunsup.run.detect_settings import TrainSettings
from medunsup.run.model_folder import BASELINE_ARRAYS, SCANS, WEIGHTS, arrays_as_bytes, write_model
from medunsup.run.prepare import prepare
from medunsup.run.prepare_many import request_of
from medunsup.run.request import hash_input
from medunsup.run.sources import Case

N_CALIBRATION = 2


def write_small_model(
    folder: Path, scans: Sequence[Path], *, contrast: str = "T1w", spacing_mm: float = 8.0
) -> Path:
    """Learn from all scans but the last two, calibrate on those, and write the folder."""
    settings = TrainSettings(
        model="healthy_atlas", score="deviation", spacing_mm=spacing_mm, least_part_mm3=0.0, contrast=contrast
    )
    cases = [Case(scan, scan.name) for scan in scans]
    made = [prepare(request_of(case, settings), spacing_mm) for case in cases]
    every = Scans(np.stack([one.values for one in made]), np.stack([one.mask for one in made]))
    n = len(scans) - N_CALIBRATION
    return write_model_of(folder, every.take(range(n)), every.take(range(n, len(scans))), settings, scans)


def write_model_of(
    folder: Path,
    train: Scans,
    calibration: Scans,
    settings: TrainSettings,
    seen: Sequence[Path] = (),
) -> Path:
    """Fit on scans that are prepared already; `seen` are noted as what the model has seen."""
    model = build_model(settings.model).fit(train)
    score = build_score(settings.score, model=model).fit(model, train)
    held_out = calibrated(
        model, score, settings.postprocess, calibration, spacing_mm=settings.spacing_mm, least_part_mm3=0.0
    )
    fitted = HealthyModel(model, score, settings.postprocess, train.shape, settings.spacing_mm, held_out)
    parts = ["train"] * len(train) + ["calibration"] * len(calibration)
    space = ModelSpace(settings.spacing_mm)
    card = learn_card(train, coarsest_mm=settings.spacing_mm, middle=space.middle)
    cards = {f"card/{name}": value for name, value in card.state().items()}
    rows = [
        f"{file.name}\t{part}\t{file.name}\t{hash_input(file)}\tn/a"
        for file, part in zip(seen, parts, strict=False)
    ]
    files = {
        WEIGHTS: arrays_as_bytes({**fitted.state(), **cards}),
        BASELINE_ARRAYS: arrays_as_bytes(Baselines().fit(train).state()),
        SCANS: "\n".join(["subject\tpart\tscan\tsha256\tsite", *rows]) + "\n",
    }
    write_model(folder, settings, files, {"Shape": list(train.shape), "Contrast": settings.contrast})
    return folder
