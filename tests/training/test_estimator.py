"""The generic half of a deep model, with a learner that knows nothing of anomalies."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from helpers.train_learners import Contrast, Denoiser
from monai.transforms import RandGaussianNoised

from medunsup.core.errors import InputError
from medunsup.training.estimator import Estimator, EstimatorConfig
from medunsup.training.loop import Training
from medunsup.training.patches import Patches


class OnPatches(Estimator):
    """Learns from patches of slices."""

    Config = EstimatorConfig
    method_name = "on_patches"

    def build(self, shape):
        return Denoiser(seed=int(torch.randint(100, ())))

    def dataset(self, scans, transform=None):
        return Patches(scans.values, scans.masks, scans.names, size=(8, 8), transform=transform)


def fitted(seed: int = 0, **training: object) -> OnPatches:
    config = EstimatorConfig(epochs=2, batch_size=6, seed=seed)
    return OnPatches(config).fit(small_brains(4), training=Training(**training))


def is_same(one, other) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_the_seed_decides_weights_order_and_draws():
    torch.manual_seed(1)
    assert is_same(fitted().state(), fitted().state())
    assert not is_same(fitted().state(), fitted(seed=1).state())


def test_a_state_is_given_back_whole_or_in_part():
    model = fitted()
    again = OnPatches(model.config).load_state(model.state(), small_brains(1).shape)
    assert is_same(again.state(), model.state())
    other = fitted(seed=1)
    assert is_same(other.load_part("network", model.state("network")).state(), model.state())


def test_weights_of_another_part_are_refused():
    model = fitted()
    weights = model.state("network")
    del weights["0.bias"]
    for part, state in (("network", weights), ("encoder", model.state("network"))):
        with pytest.raises(InputError, match=f"on_patches: these are no weights of its {part}"):
            model.load_part(part, state)


def test_a_run_is_resumed_to_the_same_state(tmp_path):
    fitted(folder=tmp_path)
    assert is_same(fitted(folder=tmp_path, resume=True).state(), fitted().state())


class OnViews(Estimator):
    """Compares two views that transforms make of each slice."""

    Config = EstimatorConfig
    method_name = "on_views"

    def build(self, shape):
        return Contrast()


def test_validation_scans_are_seen_in_the_views_of_training():
    noisy = RandGaussianNoised(keys="values", prob=1.0, std=0.2)

    def best(seed: int) -> float:
        config = EstimatorConfig(epochs=2, batch_size=20, seed=seed)
        training = Training(accelerator="cpu", transform=[noisy, noisy])
        model = OnViews(config).fit(small_brains(4), validation=small_brains(2, seed=1), training=training)
        return model.trained_.best_validation

    assert best(0) == best(0) != best(1)
    assert best(0) > 0
