"""What was learned from healthy scans is the same once it was stored and read."""

import numpy as np
from helpers.healthy_arrays import healthy

from medunsup.anomaly.factory import build_model, build_score
from medunsup.anomaly.fitted_detector import HealthyModel, calibrated
from medunsup.anomaly.postprocess import learned_floors

STEPS = ("median=3", "relative=75")
NAMES = {"model": ("healthy_atlas", {}), "score": ("positive", {})}
SPACING_MM = 2.0


def fitted() -> HealthyModel:
    scans, held_out = healthy(12), healthy(5, seed=1)
    model = build_model("healthy_atlas").fit(scans)
    score = build_score("positive", model=model).fit(model, scans)
    floors = learned_floors(STEPS, lambda *scan: score.map(model, *scan), scans, (SPACING_MM,) * 3)
    calibration = calibrated(
        model, score, STEPS, held_out, spacing_mm=SPACING_MM, min_cluster_mm3=0, floors=floors
    )
    return HealthyModel(model, score, STEPS, scans.shape, SPACING_MM, calibration, floors)


def read(state) -> HealthyModel:
    shape = healthy(1).shape
    return HealthyModel.of_state(state, **NAMES, steps=STEPS, shape=shape, spacing_mm=SPACING_MM)


def test_stored_and_read_it_maps_a_dark_scan_the_same():
    one = fitted()
    values, mask = next(iter(healthy(1, seed=4)))
    dark = (values - 0.1) * mask
    np.testing.assert_array_equal(read(one.state()).map(dark, mask), one.map(dark, mask))


def test_a_state_without_floors_as_version_0_1_0_wrote_it_is_read():
    one = fitted()
    state = {name: value for name, value in one.state().items() if not name.startswith("steps/")}
    values, mask = next(iter(healthy(1, seed=4)))
    bright = values + np.float32(0.05) * mask
    np.testing.assert_array_equal(read(state).map(bright, mask), one.map(bright, mask))
