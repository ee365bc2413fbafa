"""White matter tells a strong bias field, in any unit; a weak one, and what is no T1w, is left alone."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.brain_mask import Brain
from medunsup.preprocess.intensity.evened import evened_out
from medunsup.preprocess.intensity.white_bias import STRONG_RATIO, field_in, power_of
from medunsup.preprocess.registration.affine import Registration

FIELDS = {
    "centre": lambda x: -(x**2).sum(axis=0),
    "border": lambda x: (x**2).sum(axis=0),
    "head to foot": lambda x: x[2],
    "back to front": lambda x: x[1],
    "to one side": lambda x: x[0] + 0.3 * x[0] * x[2],
}


@pytest.fixture(scope="module")
def ball():
    """Places in a ball of 80 mm, priors of a core of white matter in grey in fluid, and T1w intensities."""
    rng = np.random.default_rng(0)
    place = rng.uniform(-1, 1, (3, 8000))
    place = place[:, (place**2).sum(axis=0) < 1]
    r = np.sqrt((place**2).sum(axis=0))
    wm, fluid = np.clip((0.75 - r) / 0.1, 0, 1), np.clip((r - 0.9) / 0.1, 0, 1)
    prior = np.stack([1 - wm - fluid, wm, fluid])
    values = np.array([70.0, 100.0, 30.0]) @ prior * (1 + 0.04 * rng.normal(size=r.size))
    return 80 * place, prior, values


def of_strength(place, kind, ratio, where):
    """Make a field whose percentiles 99 and 1 differ by `ratio` at `where`."""
    shape = FIELDS[kind](place / 80)
    low, high = np.percentile(shape[where], (1, 99))
    return ratio ** ((shape - low) / (high - low))


@settings(max_examples=15, deadline=None)
@example(kind="border", ratio=3.0, factor=1e-12)
@given(
    kind=st.sampled_from(list(FIELDS)),
    ratio=st.floats(1, 3),
    factor=st.floats(-12, 12).map(lambda power: 10.0**power),
)
def test_a_smooth_field_is_found_whatever_its_shape_strength_and_unit(ball, kind, ratio, factor):
    place, prior, values = ball
    found = field_in(factor * values * of_strength(place, kind, ratio, prior[1] > 0.9), prior, place)
    assert found.ratio == pytest.approx(ratio, rel=0.15)  # a first look; `evened_out` looks again
    assert found.is_t1w


@pytest.mark.parametrize("levels", [(80, 55, 150), (90, 70, 20), (70, 70, 30)])
def test_where_white_matter_is_not_the_brightest_it_is_no_t1w(ball, levels):
    place, prior, _ = ball
    noise = 1 + 0.04 * np.random.default_rng(1).normal(size=place.shape[1])
    found = field_in(np.array(levels, float) @ prior * noise, prior, place)
    assert not found.is_t1w or levels == (70, 70, 30)


def test_how_much_is_taken_out_grows_without_a_step():
    ratios = np.linspace(1, 3, 2001)
    powers = np.array([power_of(ratio) for ratio in ratios])
    assert powers[0] == 0
    assert powers[-1] == 1
    assert np.diff(powers).min() >= 0
    assert np.diff(powers).max() < 0.01


def a_brain(scan: Volume, known, *, is_stripped: bool = False) -> Brain:
    return Brain(known.brain, Registration(known.template_to_scan, 0.5, fits=True), is_stripped)


@pytest.fixture(scope="module")
def known(head_maker):
    return head_maker(spacing_mm=(5.0, 5.0, 5.0))


def biased(known, ratio: float) -> Volume:
    i, j, k = (np.linspace(-1, 1, n) for n in known.scan.shape)
    bowl = i[:, None, None] ** 2 + j[None, :, None] ** 2 + k**2
    return known.scan.like((known.scan.data * ratio ** (-2 * bowl)).astype(np.float32))


def unevenness(scan: Volume, known) -> float:
    """Spread of white matter over its mean, where the truth is white matter alone."""
    is_white = (known.scan.data > 85) & (known.scan.data < 115) & known.brain.data
    return float(scan.data[is_white].std() / scan.data[is_white].mean())


def test_a_weak_bias_is_left_to_the_mixture_bit_for_bit(known):
    found, step = a_brain(known.scan, known), Step("brain mask")
    scan, brain = evened_out(known.scan, found, lambda scan, step: pytest.fail("looked again"), step=step)
    assert scan is known.scan
    assert brain is found
    assert step.findings["white_matter_bias"][0] < STRONG_RATIO[0]
    assert step.findings["white_matter_bias_evened_out"] == []


@pytest.mark.parametrize("is_stripped", [False, True])
def test_a_strong_bias_is_taken_out_and_the_brain_found_again(known, is_stripped):
    scan, step, looks = biased(known, 3.0), Step("brain mask"), []
    found = a_brain(scan, known, is_stripped=is_stripped)
    step.warn("the first look was bad", degraded=True)

    def again(even: Volume, trial: Step) -> Brain:
        looks.append(even)
        return found

    even, _ = evened_out(scan, found, again, step=step)
    assert looks
    assert looks[-1] is even
    assert unevenness(even, known) < 0.3 * unevenness(scan, known)
    assert step.findings["white_matter_bias"][-1] < STRONG_RATIO[0]
    assert step.outcome == "done"
    assert not step.warnings
    if is_stripped:
        outside = ~known.brain.data
        assert (even.data[outside] == scan.data[outside]).all()


def test_without_a_template_that_fits_nothing_is_done(known):
    scan = biased(known, 3.0)
    found = Brain(known.brain, Registration(known.template_to_scan, 0.0, fits=False), is_stripped=False)
    assert evened_out(scan, found, lambda *_: found, step=Step("brain mask"))[0] is scan
