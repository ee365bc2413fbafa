"""N4 takes out a smooth field and leaves the tissues."""

import numpy as np
import pytest
from phantom import make_anatomy

from medunsup.core.errors import InputError
from medunsup.core.record import Step
from medunsup.preprocess.bias import correct_bias


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
