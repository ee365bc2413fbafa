"""What every deep model must keep beside the contract of all models: training, stopping, going on."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.anomaly_models import DEEP, differing, make
from helpers.small_brains import small_brains

from medunsup.anomaly.deep import DeepModel
from medunsup.core.errors import UsageError
from medunsup.training.datasets import Dataset
from medunsup.training.loop import Training
from medunsup.training.monitor import Progress
from medunsup.training.signals import StoppedError

every_deep_model = pytest.mark.parametrize(("name", "dims"), DEEP)


def validation_loss(model: DeepModel, view: Dataset) -> float:
    """What early stopping watches, in evaluation mode, with the same random numbers each time."""
    batch = view.batch(np.arange(len(view)))
    torch.manual_seed(0)
    with torch.no_grad():
        return float(model.learner_.eval().validate(batch, torch.Generator().manual_seed(0)))


@every_deep_model
@pytest.mark.slow
def test_training_brings_down_what_early_stopping_watches(name, dims):
    scans = small_brains(12)
    model = make(name, dims, epochs=12)
    view = model.dataset(scans)
    model.learner_ = model._build(scans.shape)
    before = validation_loss(model, view)
    assert validation_loss(model.fit(scans), view) < before


@every_deep_model
def test_a_run_stopped_and_resumed_ends_with_the_weights_of_an_unbroken_one(name, dims, tmp_path):
    scans, validation = small_brains(), small_brains(2, seed=3)

    def stop_in_the_second_epoch(progress: Progress) -> None:
        if progress.step == progress.steps // 2 + 1:
            os.kill(os.getpid(), signal.SIGTERM)

    training = Training(folder=tmp_path / "run", tell=stop_in_the_second_epoch)
    with pytest.raises(StoppedError, match="resume=True"):
        make(name, dims, batch_size=2).fit(scans, validation=validation, training=training)
    resumed = make(name, dims, batch_size=2).fit(
        scans, validation=validation, training=replace(training, resume=True, tell=None)
    )
    unbroken = make(name, dims, batch_size=2).fit(scans, validation=validation)
    assert differing(resumed.state(), unbroken.state()) == []


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


@every_deep_model
def test_a_grid_that_cannot_be_halved_is_refused(name, dims):
    with pytest.raises(UsageError, match="cannot be halved"):
        make(name, dims, levels=4).fit(small_brains(shape=(24, 24, 24)))
