"""N4 takes out a smooth field and leaves the tissues."""

import numpy as np
import pytest
from helpers.phantom import make_anatomy

from medunsup.core.errors import InputError
from medunsup.core.geometry import Grid
from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.intensity.bias import correct_bias, field_on, strong_bias
from medunsup.preprocess.intensity.normalize import winsorize_and_scale


@pytest.fixture(scope="module")
def brain():
    """Coarse, so that the fit takes a second."""
    return make_anatomy(spacing_mm=(5.0, 5.0, 5.0))


def spread_of_wm(image, brain):
    values = image.data[(brain.fractions[1] > 0.99) & brain.mask.data]
    return values.std() / values.mean()


def test_a_strong_bias_is_mostly_taken_out(brain):
    clean, biased = (brain.image("T1w", noise=0.02, bias=bias) for bias in (0.0, 0.6))
    step = Step("bias")
    corrected, field = correct_bias(biased, brain.mask, step=step)
    assert spread_of_wm(corrected, brain) < 0.5 * spread_of_wm(biased, brain)
    truth = biased.data[brain.mask.data] / clean.data[brain.mask.data]
    fitted = field.data[brain.mask.data]
    assert np.corrcoef(truth, fitted)[0, 1] > 0.7
    assert fitted.mean() == pytest.approx(1, abs=1e-3)
    assert step.findings["field_range"][0] < 0.95 < 1.05 < step.findings["field_range"][1]


def test_a_scan_without_bias_stays_nearly_as_it_is(brain):
    clean = brain.image("T1w", noise=0.02, bias=0.0)
    corrected, _ = correct_bias(clean, brain.mask, step=Step("bias"))
    change = abs(corrected.data / np.maximum(clean.data, 1) - 1)[brain.mask.data]
    assert np.median(change) < 0.05


def test_an_empty_mask_is_an_error_that_says_so(brain):
    image = brain.image()
    with pytest.raises(InputError, match="covers too little"):
        correct_bias(image, brain.mask.like(np.zeros(image.shape, bool)), step=Step("bias"))


def scaled(brain, bias):
    image = brain.image("T1w", noise=0.02, bias=bias)
    return image.like(winsorize_and_scale(image.data, brain.mask.data))


def test_a_usual_bias_is_left_to_the_mixture(brain):
    step = Step("normalise")
    assert strong_bias(scaled(brain, 0.0), brain.mask, step=step) is None
    assert step.findings["bias_evened_out"] == 0


def test_a_strong_bias_is_found_on_a_coarse_grid_and_evens_white_matter_out(brain):
    biased, step = scaled(brain, 0.6), Step("normalise")
    field = strong_bias(biased, brain.mask, step=step)
    assert step.findings["bias_evened_out"] == 1
    evened = biased.like(biased.data / field_on(field, biased.grid))
    assert spread_of_wm(evened, brain) < 0.5 * spread_of_wm(biased, brain)


def test_a_field_goes_on_beyond_its_grid_as_it_is_at_the_border(brain):
    field = Volume(np.full((4, 4, 4), 1.5, np.float32), np.diag([6.0, 6, 6, 1]), kind="image")
    wide = Grid((40, 40, 40), np.array([[1.0, 0, 0, -10], [0, 1, 0, -10], [0, 0, 1, -10], [0, 0, 0, 1]]))
    np.testing.assert_allclose(field_on(field, wide), 1.5)


def test_a_few_slices_are_no_volume_to_fit_a_field_to(brain):
    image = scaled(brain, 0.6)
    slices = Volume(image.data[:, :, 15:18], image.affine)
    mask = slices.like(brain.mask.data[:, :, 15:18], kind="mask")
    assert strong_bias(slices, mask, step=Step("normalise")) is None
