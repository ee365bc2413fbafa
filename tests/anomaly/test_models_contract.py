"""What every deep model must keep, whichever it is: a model dropped in as one file is tested as well."""

import os
import signal
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from small_brains import small_brains

from medunsup.anomaly.base import offers
from medunsup.anomaly.deep import DeepModel
from medunsup.core.errors import InputError, UsageError
from medunsup.core.registry import method, methods
from medunsup.training.datasets import Dataset
from medunsup.training.loop import Training
from medunsup.training.monitor import Progress
from medunsup.training.signals import StoppedError

SMALL: dict[str, Any] = {
    "channels": 4,
    "levels": 2,
    "epochs": 2,
    "batch_size": 16,
    "latent_dim": 8,
    "learning_rate": 3e-3,
    "restore_steps": 3,
}
EACH_VOXEL = ("reconstruct", "restore", "gradient")
CASES = [
    (card.name, dims)
    for card in methods("anomaly")
    if issubclass(method("anomaly", card.name), DeepModel)
    for dims in card.dims
]
every_model = pytest.mark.parametrize(("name", "dims"), CASES)


def make(name: str, dims: int, **parameters: Any) -> DeepModel:
    """A model small enough to be trained in a moment."""
    kind = method("anomaly", name)
    wanted = SMALL | {"dims": dims} | parameters
    known = {key: value for key, value in wanted.items() if key in kind.Config.model_fields}
    return kind(kind.Config.parse(known))


@cache
def fitted(name: str, dims: int, channels: int = 1) -> DeepModel:
    return make(name, dims).fit(small_brains(channels=channels))


def looks(model: DeepModel, channels: int = 1) -> dict[str, np.ndarray]:
    """Every voxel-wise offer, for a person the model has not seen."""
    values, mask = next(iter(small_brains(1, channels=channels, seed=5)))
    found = {offer: getattr(model, offer)(values, mask) for offer in EACH_VOXEL if offer in offers(model)}
    if "sample" in offers(model):
        found |= {f"sample {n}": look for n, look in enumerate(model.sample(values, mask, n=2, seed=0))}
    if "deviation" in offers(model):
        found["deviation"] = model.deviation(values, mask)[None].repeat(channels, axis=0)
    return found


def differing(one: DeepModel, other: DeepModel) -> list[str]:
    a, b = one.state(), other.state()
    assert a.keys() == b.keys()
    return [key for key in a if not np.array_equal(a[key], b[key])]


def validation_loss(model: DeepModel, view: Dataset) -> float:
    """What early stopping watches, in evaluation mode, with the same random numbers each time."""
    batch = view.batch(np.arange(len(view)))
    torch.manual_seed(0)
    with torch.no_grad():
        return float(model.learner_.eval().validate(batch, torch.Generator().manual_seed(0)))


@every_model
def test_what_a_model_says_of_a_scan_lies_on_its_voxels_and_inside_its_mask(name, dims):
    values, mask = next(iter(small_brains(1, seed=5)))
    found = looks(fitted(name, dims))
    assert found or "encode" in offers(fitted(name, dims))
    for offer, look in found.items():
        assert look.shape == values.shape, offer
        assert look.dtype == np.float32, offer
        assert np.isfinite(look).all(), offer
        assert not look[:, ~mask].any(), offer


@every_model
def test_scans_of_two_contrasts_are_learned_as_well(name, dims):
    assert all(look.shape[0] == 2 for look in looks(fitted(name, dims, 2), channels=2).values())


@pytest.mark.parametrize(
    ("name", "dims"), [case for case in CASES if hasattr(method("anomaly", case[0]), "encode")]
)
def test_latent_numbers_come_one_row_a_part_of_the_scan(name, dims):
    model = fitted(name, dims)
    values, mask = next(iter(small_brains(1, seed=5)))
    rows = model.encode(values, mask)
    assert rows.ndim == 2
    assert np.isfinite(rows).all()


@every_model
@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(name, dims):
    again, other = (make(name, dims, seed=seed).fit(small_brains()) for seed in (0, 1))
    assert differing(again, fitted(name, dims)) == []
    assert differing(other, again)


@every_model
def test_a_stored_model_says_what_the_trained_one_said(name, dims):
    model = fitted(name, dims)
    stored = make(name, dims).load_state(model.state(), small_brains(1).shape)
    assert differing(stored, model) == []
    before, after = looks(model), looks(stored)
    assert all(np.array_equal(before[offer], after[offer]) for offer in before)


@every_model
@pytest.mark.slow
def test_training_brings_down_what_early_stopping_watches(name, dims):
    scans = small_brains(12)
    model = make(name, dims, epochs=12)
    view = model._view(scans)
    model.learner_ = model._build(scans.shape)
    before = validation_loss(model, view)
    assert validation_loss(model.fit(scans), view) < before


@every_model
def test_a_run_stopped_and_resumed_ends_with_the_weights_of_an_unbroken_one(name, dims, tmp_path):
    scans, validation = small_brains(), small_brains(2, seed=3)

    def stop_in_the_second_epoch(progress: Progress) -> None:
        if progress.step == progress.steps // 2 + 1:
            os.kill(os.getpid(), signal.SIGTERM)

    training = Training(folder=tmp_path / "run", tell=stop_in_the_second_epoch)
    with pytest.raises(StoppedError, match="--resume"):
        make(name, dims, batch_size=2).fit(scans, validation=validation, training=training)
    resumed = make(name, dims, batch_size=2).fit(
        scans, validation=validation, training=replace(training, resume=True, tell=None)
    )
    unbroken = make(name, dims, batch_size=2).fit(scans, validation=validation)
    assert differing(resumed, unbroken) == []


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("beta_vae", "beta", 50.0), ("constrained_aae", "consistency", 3.0), ("dae", "learning_rate", 0.01)],
)
def test_a_run_is_not_resumed_with_another_parameter(name, key, value, tmp_path):
    first = make(name, 2, epochs=1)
    first.fit(small_brains(2), training=Training(folder=tmp_path))
    was = getattr(first.config, key)
    with pytest.raises(UsageError, match=rf"\({key}: {was} there, {value} now\)"):
        make(name, 2, epochs=1, **{key: value}).fit(
            small_brains(2), training=Training(folder=tmp_path, resume=True)
        )


def test_a_run_of_one_model_is_not_resumed_with_another(tmp_path):
    make("vae", 2, epochs=1).fit(small_brains(2), training=Training(folder=tmp_path))
    with pytest.raises(UsageError, match="model: vae there, sparse_ae now"):
        make("sparse_ae", 2, epochs=1).fit(small_brains(2), training=Training(folder=tmp_path, resume=True))


@every_model
def test_a_lattice_that_cannot_be_halved_is_refused(name, dims):
    with pytest.raises(UsageError, match="cannot be halved"):
        make(name, dims, levels=4).fit(small_brains(shape=(24, 24, 24)))


@every_model
def test_an_empty_mask_is_refused(name, dims):
    values, mask = next(iter(small_brains(1)))
    model = fitted(name, dims)
    for offer in offers(model) & set(EACH_VOXEL):
        with pytest.raises(InputError, match="mask is empty"):
            getattr(model, offer)(values, np.zeros_like(mask))
