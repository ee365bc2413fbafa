"""How many classes: made-up mixtures whose number is known."""

import json

import numpy as np
import pytest
from helpers.phantom import make_anatomy

from medunsup.core.errors import InputError
from medunsup.tissue.choose_k import choose_k

SCALES = ((1.0, 0.0), (50.0, 9.0))


def mixture(n_classes: int, gap_sds: float = 5.0) -> np.ndarray:
    """Gaussians `gap_sds` apart, odd ones twice as large, (1, N, 1, 1)."""
    rng = np.random.default_rng(0)
    parts = [rng.normal(gap_sds * n, 1, 3000 * (n % 2 + 1)) for n in range(n_classes)]
    return np.concatenate(parts).astype(np.float32).reshape(1, -1, 1, 1)


@pytest.mark.parametrize("n_classes", [2, 3, 4, 5])
def test_number_of_well_separated_classes_is_found(n_classes):
    intensity = mixture(n_classes)
    selection = choose_k(intensity, np.ones(intensity.shape[1:], dtype=bool))
    assert selection.chosen == selection.best_bic == n_classes
    assert selection.rule.startswith("clear minimum")


@pytest.mark.parametrize("contrast", ["T1w", "PD"])
def test_noisy_brain_is_proposed_three_classes(contrast, brain):
    image = brain.image(contrast, noise=0.06, bias=0.0)
    assert choose_k(image.data[None], brain.mask.data).chosen == 3


def test_where_the_bic_keeps_falling_the_elbow_decides():
    skewed = np.random.default_rng(0).gamma(1.2, 1.0, (1, 8000, 1, 1)).astype(np.float32)
    selection = choose_k(skewed, np.ones(skewed.shape[1:], dtype=bool), candidates=(2, 3, 4))
    assert selection.best_bic == 4
    assert selection.chosen == selection.elbow
    assert "elbow" in selection.rule


def test_curves_have_a_value_for_each_candidate_and_fit_into_a_sidecar():
    intensity = mixture(3)
    selection = choose_k(intensity, np.ones(intensity.shape[1:], dtype=bool), candidates=(5, 2, 3, 4))
    kept = json.loads(json.dumps(selection.as_dict()))
    assert kept["k"] == [2, 3, 4, 5]
    assert len(kept["bic"]) == len(kept["inertia"]) == 4
    assert (np.diff(kept["inertia"]) < 0).all()


def test_scale_of_intensity_does_not_change_the_choice():
    anatomy = make_anatomy(scale=0.7)
    image = anatomy.image("T1w", noise=0.06).data[None]
    mask = anatomy.mask.data
    first, second = (choose_k(image * gain + offset, mask, candidates=(2, 3, 4)) for gain, offset in SCALES)
    assert first.chosen == second.chosen
    np.testing.assert_allclose(first.bic, second.bic, rtol=1e-3)


def test_constant_image_is_refused():
    with pytest.raises(InputError, match="different intensities"):
        choose_k(np.ones((1, 500, 1, 1), dtype=np.float32), np.ones((500, 1, 1), dtype=bool))
