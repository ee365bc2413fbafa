"""The intensity scale of healthy brains: the same for any unit, and not a lesion's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medunsup.core.errors import InputError
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.preprocess.intensity.reference_scale import healthy_scale

SPACE = ModelSpace(8.0)
TISSUES = SPACE.tissues
INSIDE = TISSUES.sum(axis=0) > 0.5
LEVELS = {"T1w": (70, 100, 30), "T2w": (80, 55, 150), "FLAIR": (90, 68, 25)}


def brain(contrast: str = "T1w", seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 3, INSIDE.shape)
    whole = TISSUES / np.where(INSIDE, TISSUES.sum(axis=0), 1)
    return (np.tensordot(LEVELS[contrast], whole, axes=1) + noise).astype(np.float32)


@pytest.mark.parametrize("contrast", LEVELS)
def test_brain_lies_between_0_and_1_around_a_half_and_nothing_outside(contrast):
    scaled, _ = healthy_scale(brain(contrast), INSIDE, TISSUES)
    assert scaled[INSIDE].mean() == pytest.approx(0.5, abs=0.05)
    assert np.mean((scaled[INSIDE] > 0) & (scaled[INSIDE] < 1)) > 0.99
    assert (scaled[~INSIDE] == 0).all()
    assert scaled.max() <= 2


@given(factor=st.floats(0.01, 1000), offset=st.floats(-500, 500))
def test_unit_and_offset_of_the_scan_do_not_matter(factor, offset):
    plain, _ = healthy_scale(brain(), INSIDE, TISSUES)
    other, _ = healthy_scale((brain() * factor + offset).astype(np.float32), INSIDE, TISSUES)
    np.testing.assert_allclose(other, plain, atol=2e-3)


@pytest.mark.parametrize("brightness", [0.3, 2.0, 5.0])
def test_lesion_of_a_tenth_of_the_brain_leaves_the_rest_as_it_was(brightness):
    values = brain()
    near = np.argsort(np.linalg.norm(np.argwhere(INSIDE) - [10, 12, 14], axis=1))
    lesion = np.zeros_like(INSIDE)
    lesion[tuple(np.argwhere(INSIDE)[near[: INSIDE.sum() // 10]].T)] = True
    plain, _ = healthy_scale(values, INSIDE, TISSUES)
    other, _ = healthy_scale(np.where(lesion, values * brightness, values), INSIDE, TISSUES)
    rest = INSIDE & ~lesion
    assert np.abs(other - plain)[rest].mean() < 0.02


def test_mask_beside_the_template_is_refused():
    mask = np.zeros_like(INSIDE)
    mask[:2, :2, :2] = True
    with pytest.raises(InputError, match="does not lie on the template"):
        healthy_scale(brain(), mask, TISSUES)


def test_scan_without_contrast_is_refused():
    with pytest.raises(InputError, match="same intensity"):
        healthy_scale(np.full(INSIDE.shape, 7, np.float32), INSIDE, TISSUES)
