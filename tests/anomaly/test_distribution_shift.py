"""Scans unlike the healthy ones are told apart from healthy ones, by limits that the healthy ones set."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from medunsup.anomaly.distribution_shift import (
    HIGHER_IS_WORSE,
    MEASURES,
    DataCard,
    contrast_flag,
    flags,
    learn_card,
)
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Scans

SPACE = ModelSpace(8.0)
TISSUES = SPACE.tissues
BRAIN = TISSUES.sum(axis=0) > 0.5
MEAN = np.tensordot((0.5, 0.75, 0.15), TISSUES, axes=1)
TORQUE = 0.04 * np.linspace(-1, 1, SPACE.shape[0])[:, None, None]


def person(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A healthy scan: the template with everyone's torque, own noise and an own outline."""
    generator = np.random.default_rng(seed)
    texture = ndimage.gaussian_filter(generator.normal(size=SPACE.shape), 1) * 0.15
    boundary = BRAIN & ~ndimage.binary_erosion(BRAIN)
    mask = BRAIN & ~(boundary & (generator.uniform(size=SPACE.shape) < 0.05))
    return ((MEAN + TORQUE + texture) * mask)[None].astype(np.float32), mask


def people(n: int) -> Scans:
    made = [person(seed) for seed in range(n)]
    return Scans(np.stack([values for values, _ in made]), np.stack([mask for _, mask in made]))


@pytest.fixture(scope="module")
def card() -> DataCard:
    return learn_card(people(20), coarsest_mm=1.0, middle=SPACE.middle)


def named(card: DataCard, values: np.ndarray, mask: np.ndarray, coarsest_mm: float = 1.0) -> set[str]:
    return {flag.name for flag in flags(card, values.astype(np.float32), mask, coarsest_mm=coarsest_mm)}


def mirrored(data: np.ndarray) -> np.ndarray:
    source = SPACE.middle - np.arange(data.shape[-3])
    inside = (source >= 0) & (source < data.shape[-3])
    out = np.zeros_like(data)
    out[..., inside, :, :] = data[..., source[inside], :, :]
    return out


def test_new_healthy_people_are_not_flagged(card):
    assert sum(bool(named(card, *person(seed))) for seed in range(100, 140)) <= 2


def test_inverted_contrast_is_flagged(card):
    values, mask = person(100)
    assert "pattern" in named(card, np.where(mask, 1 - values, 0), mask)


def test_skull_left_on_is_flagged(card):
    values, mask = person(100)
    head = ndimage.binary_dilation(mask, iterations=2)
    assert "outside" in named(card, np.where(head & ~mask, 0.9, values), head)


@pytest.mark.parametrize("axis", [0, 1, 2, "centre", "border"])
def test_another_bias_field_than_everyones_is_flagged_by_its_name(card, axis):
    values, mask = person(100)
    place = [np.linspace(-1, 1, size) for size in SPACE.shape]
    grid = np.stack(np.meshgrid(*place, indexing="ij"))
    bowl = (grid**2).sum(axis=0)
    shape = {"centre": -bowl, "border": bowl}[axis] if isinstance(axis, str) else grid[axis]
    low, high = np.percentile(shape[mask], (1, 99))
    strong, weak = (values * ratio ** ((shape - low) / (high - low) - 0.5) for ratio in (2.5, 1.15))
    assert "bias" in named(card, strong, mask)
    assert "bias" not in named(card, weak, mask)


def test_a_lesion_is_no_bias_field(card):
    values, mask = person(100)
    lesion = np.s_[:, 3:7, 5:9, 4:8]
    for factor in (0.4, 1.8):
        spoilt = values.copy()
        spoilt[lesion] *= factor
        assert "bias" not in named(card, spoilt, mask)


def test_brain_cut_off_is_flagged(card):
    values, mask = person(100)
    cut = mask.copy()
    cut[:, :, SPACE.shape[2] // 2 :] = False
    assert "missing" in named(card, values * cut, cut)


def test_brain_in_the_wrong_place_is_flagged(card):
    values, mask = person(100)
    moved = np.roll(mask, 3, axis=1)
    assert {"pattern", "missing"} <= named(card, np.roll(values, 3, axis=2), moved)


def test_a_left_right_flip_is_flagged_and_nothing_else(card):
    values, mask = person(100)
    assert named(card, mirrored(values), mirrored(mask)) == {"side"}


def test_coarse_voxels_are_flagged(card):
    assert named(card, *person(100), coarsest_mm=5.0) == {"spacing"}


def test_large_lesion_in_a_fitting_scan_is_no_reason_to_flag_it(card):
    values, mask = person(100)
    lesion = np.zeros_like(mask)
    lesion[16:19, 12:15, 8:11] = True
    assert named(card, np.where(lesion & mask, 1.2, values), mask) == set()


def test_flag_says_what_was_found_and_what_is_usual(card):
    values, mask = person(100)
    (flag,) = (one for one in flags(card, 1 - values, mask, coarsest_mm=1.0) if one.name == "pattern")
    assert flag.value < 0 < flag.limit
    assert f"correlates only −{abs(flag.value):.2f}" in flag.sentence
    assert f"{flag.limit:.2f}" in flag.sentence


@pytest.mark.parametrize("measure", range(len(MEASURES)), ids=MEASURES)
def test_value_hardly_beyond_its_limit_does_not_read_like_it(card, measure):
    values, mask = person(100)
    none = np.where(HIGHER_IS_WORSE, -1.0, 2.0)  # beyond all limits, to hear each value
    if MEASURES[measure] == "side":
        none[0] = -2.0  # else sides would not be judged
    heard = flags(replace(card, limits=none), values, mask, coarsest_mm=1.0)
    value = next(flag.value for flag in heard if flag.name == MEASURES[measure])
    limits = np.where(HIGHER_IS_WORSE, np.inf, -np.inf)
    limits[measure] = value + (-1e-4 if HIGHER_IS_WORSE[measure] else 1e-4)
    (flag,) = flags(replace(card, limits=limits), values, mask, coarsest_mm=1.0)
    told, bound = re.findall(r"\d+\.\d+%?", flag.sentence)
    assert told != bound
    assert len(told) == len(bound)


def test_card_survives_being_kept(card):
    kept = DataCard.of_state({name: np.array(value) for name, value in card.state().items()})
    values, mask = person(100)
    assert named(kept, 1 - values, mask) == named(card, 1 - values, mask)


def test_too_few_scans_set_no_limits():
    card = learn_card(people(2), coarsest_mm=1.0, middle=SPACE.middle)
    assert np.isinf(card.limits).all()
    assert len(card.limits) == len(MEASURES)


def test_beside_two_scans_nothing_but_the_size_of_voxels_is_flagged():
    card = learn_card(people(2), coarsest_mm=1.0, middle=SPACE.middle)
    values, mask = person(7)
    field = np.exp(np.linspace(-1, 1, SPACE.shape[0]))[:, None, None]
    assert named(card, values * field, mask, coarsest_mm=3.0) == {"spacing"}


def test_contrast_is_compared_by_name():
    assert contrast_flag("T1w", "T1w") == ()
    assert "FLAIR" in contrast_flag("FLAIR", "T1w")[0].sentence
