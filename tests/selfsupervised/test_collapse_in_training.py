"""A method's own training names its collapse with the knob to turn; a healthy one says nothing."""

from dataclasses import replace
from typing import Any

import pytest
from helpers.pretraining import make
from helpers.small_brains import small_brains

HEALTHY: dict[str, Any] = {
    "batch_size": 24,
    "epochs": 12,
    "augmentations": "classification",
    "learning_rate": 3e-3,
}
UNCENTRED = {"center_momentum": 0.9999, "momentum": 0.9}
SLOW = pytest.mark.slow
SLOWER = [pytest.param(name, marks=SLOW) for name in ("barlow_twins", "dino")]
ALL_NOISE = {"crop": 1, "crop_least": 0.05, "crop_most": 0.1, "noise": 1, "noise_sd": 10}


def verdict(name: str, **parameters: Any) -> str:
    """What is said in the end of a training on one slice of each of 96 people."""
    scans = small_brains(96)
    slices = replace(scans, values=scans.values[..., 4:5], masks=scans.masks[..., 4:5])
    return make(name, 2, **{**HEALTHY, **parameters}).fit(slices).trained_.verdict


@pytest.mark.parametrize(
    "name", ["simclr", *(pytest.param(one, marks=SLOW) for one in ("barlow_twins", "dino"))]
)
def test_a_healthy_run_raises_no_alarm(name, caplog):
    assert verdict(name) == ""
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("name", "fault", "knob"),
    [
        ("simclr", {"learning_rate": 0.1}, "Lower the learning rate"),
        pytest.param("simclr", {"learning_rate": 1.0}, "Lower the learning rate", marks=SLOW),
        ("simclr", {"augmentations": ALL_NOISE}, "Weaken the augmentations"),
        pytest.param("barlow_twins", {"learning_rate": 0.3}, "Lower the learning rate", marks=SLOW),
        pytest.param("dino", {"teacher_temperature": 10}, "Lower the teacher's temperature", marks=SLOW),
        pytest.param("dino", UNCENTRED, "Centre the teacher's outputs", marks=SLOW),
    ],
)
def test_a_fault_is_named_with_its_knob_and_warned_of(name, fault, knob, caplog):
    said = verdict(name, **fault)
    assert said.startswith("Since epoch ")
    assert knob in said
    assert len(caplog.messages) <= 3  # each kind of collapse once, not each epoch


@pytest.mark.slow
@pytest.mark.parametrize("name", ["infonce", "pairwise", "triplet", "moco_v1", "moco_v2", "y_aware"])
def test_other_healthy_runs_raise_no_alarm_either(name):
    more = {"queue_size": 64} if name.startswith("moco") else {}
    assert verdict(name, epochs=20, **more) == ""
