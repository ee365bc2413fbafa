"""The estimator for a user's own arrays behaves as scikit-learn's do."""

import numpy as np
import pytest
from helpers.healthy_arrays import SHAPE, blob, healthy, with_blob
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import medunsup
from medunsup.core.errors import InputError, UsageError

HEALTHY = healthy(20)
NEW = healthy(4, seed=3)


def test_it_is_offered_by_the_package_and_finds_a_blob():
    detector = medunsup.Detector(model="pca", model_params={"n_components": 4}, postprocess=("median=3",))
    assert detector.fit(HEALTHY.values, masks=HEALTHY.masks) is detector
    ill = with_blob(NEW)
    for score_map in detector.score_map(ill.values, masks=ill.masks):
        assert blob()[np.unravel_index(score_map.argmax(), score_map.shape)]


def test_scans_with_a_blob_score_higher_than_those_without():
    detector = medunsup.Detector(model="healthy_atlas", score="deviation").fit(HEALTHY.values)
    assert detector.score_samples(with_blob(NEW).values).min() > detector.score_samples(NEW.values).max()


@pytest.mark.parametrize(
    "shape", [(6, 10, 9), (6, 10, 9, 8), (6, 2, 10, 9, 8)], ids=["slices", "volumes", "channels"]
)
def test_maps_are_shaped_like_the_arrays_without_channels(shape):
    arrays = np.random.default_rng(0).random(shape) + 0.1
    maps = medunsup.Detector().fit(arrays).score_map(arrays)
    assert maps.shape == (shape if len(shape) < 5 else (shape[0], *shape[2:]))


def test_a_score_on_latents_gives_numbers_but_refuses_a_map():
    detector = medunsup.Detector(score="lof", score_params={"n_neighbors": 5}).fit(HEALTHY.values)
    assert detector.score_samples(NEW.values).shape == (4,)
    with pytest.raises(InputError, match="makes no map"):
        detector.score_map(NEW.values)


def test_a_clone_is_unfitted_with_the_same_parameters():
    detector = medunsup.Detector(model="healthy_atlas", score="absolute").fit(HEALTHY.values)
    copy = clone(detector)
    assert copy.get_params() == detector.get_params()
    with pytest.raises(NotFittedError):
        copy.score_map(NEW.values)


def test_another_grid_is_refused():
    detector = medunsup.Detector().fit(HEALTHY.values)
    with pytest.raises(InputError, match=r"expecting 1680 features .* fitted on"):
        detector.score_map(np.ones((1, 3, 3, 3)))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"model": "pcaa"}, "Did you mean 'pca'"),
        ({"score": "kl_gradient"}, "pca does not offer 'gradient'"),
        ({"postprocess": ("medain=3",)}, "'medain=3'"),
        ({"model_params": {"components": 3}}, "unknown key 'components'"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_learned(values, complaint):
    detector = medunsup.Detector(**values)
    with pytest.raises(UsageError, match=complaint):
        detector.fit(HEALTHY.values)
    assert not hasattr(detector, "model_")


def test_array_with_a_value_that_is_no_number_is_named():
    values = np.random.default_rng(0).random((4, 8, 8, 8))
    values[2, 3, 3, 3] = np.nan
    with pytest.raises(InputError, match="Array 2"):
        medunsup.Detector(model="healthy_atlas", score="deviation").fit(values)


def test_a_lesion_stands_out_from_healthy_scans_however_dark_its_scan_is_as_a_whole():
    """`relative` with a one-sided score: a little darker, three quarters of the map are 0."""

    def noisy(n: int, seed: int) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(0, 0.03, (n, *SHAPE))
        return (0.5 + noise).astype(np.float32)

    steps = ("median=3", "relative=75")
    detector = medunsup.Detector(model="healthy_atlas", score="positive", postprocess=steps)
    detector.fit(noisy(30, 0))
    usual, found = detector.score_samples(noisy(10, 1)).max(), []
    for darker in (0, 0.002, 0.005, 0.01, 0.03):
        scan = noisy(1, 2) - np.float32(darker)
        ill = np.where(blob(), scan + 0.2, scan)
        found.append(detector.score_samples(ill)[0])
        assert detector.score_samples(scan) < 2 * usual < found[-1]
    assert max(found) < 1.6 * min(found)
