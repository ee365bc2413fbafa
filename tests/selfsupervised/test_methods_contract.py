"""What every pretraining method keeps: learning, stopping and going on, features, refusals."""

import functools
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from helpers.pretraining import METHODS, make
from helpers.small_brains import small_brains

from medunsup.core.errors import InputError, UsageError
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.training.loop import Training
from medunsup.training.monitor import Progress
from medunsup.training.scan_stack import Scans
from medunsup.training.signals import StoppedError

every_method = pytest.mark.parametrize(("name", "dims"), METHODS)
# Volumes are resumed by the same loop as slices.
slices_first = pytest.mark.parametrize(
    ("name", "dims"),
    [
        pytest.param(name, dims, marks=pytest.mark.slow if dims == 3 and (name, 2) in METHODS else ())
        for name, dims in METHODS
    ],
)


def differing(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """Name the arrays that are not the same to the last bit."""
    assert one.keys() == other.keys()
    return [key for key in one if not np.array_equal(one[key], other[key])]


@functools.cache
def trained(name: str, dims: int) -> tuple[SelfSupervised, list[dict[str, Any]]]:
    """Train a method once for all that only look at it; returns it, and the rows of its log."""
    with TemporaryDirectory() as folder:
        fitted = make(name, dims).fit(
            small_brains(), validation=small_brains(2, seed=3), training=Training(folder=Path(folder))
        )
        rows = (Path(folder) / "log.jsonl").read_text().splitlines()
    return fitted, [json.loads(row) for row in rows]


@every_method
def test_the_encoder_is_trained_and_another_seed_gives_another(name, dims):
    first, _ = trained(name, dims)
    other = make(name, dims, seed=1)
    other.learner_ = other._build(small_brains().shape)
    assert isinstance(first, SelfSupervised)
    assert isinstance(first.encoder_, Encoder)
    assert isinstance(first.config, PretrainConfig)
    untrained = make(name, dims)
    untrained.learner_ = untrained._build(small_brains().shape)
    assert differing(first.state("encoder"), untrained.state("encoder"))
    assert differing(other.state("encoder"), untrained.state("encoder"))


@slices_first
def test_a_run_stopped_and_resumed_ends_with_the_weights_of_an_unbroken_one(name, dims, tmp_path):
    scans, validation = small_brains(), small_brains(2, seed=3)

    def stop_in_the_second_epoch(progress: Progress) -> None:
        if progress.step == progress.steps // 2 + 1:
            os.kill(os.getpid(), signal.SIGTERM)

    training = Training(folder=tmp_path / "run", tell=stop_in_the_second_epoch)
    with pytest.raises(StoppedError, match="resume=True"):
        make(name, dims).fit(scans, validation=validation, training=training)
    resumed = make(name, dims).fit(
        scans, validation=validation, training=replace(training, resume=True, tell=None)
    )
    unbroken, _ = trained(name, dims)
    assert differing(resumed.state(), unbroken.state()) == []


@every_method
def test_features_are_one_row_a_scan_the_same_alone_as_among_others(name, dims):
    scans = small_brains()
    fitted, _ = trained(name, dims)
    rows = fitted.features(scans.values, scans.masks)
    assert rows.shape == (len(scans), fitted.encoder_.n_features)
    assert rows.dtype == np.float32
    alone = fitted.features(scans.values[2:3], scans.masks[2:3])
    assert np.allclose(alone[0], rows[2], rtol=1e-5, atol=1e-6)
    assert len(np.unique(rows, axis=0)) == len(rows)


@every_method
def test_the_log_tells_how_the_features_of_a_fixed_sample_spread(name, dims):
    _, rows = trained(name, dims)
    assert rows
    assert all(0 < row["feature_std"] <= 1 <= row["feature_rank"] for row in rows)


@every_method
def test_features_survive_the_state(name, dims):
    scans = small_brains()
    fitted, _ = trained(name, dims)
    again = make(name, dims).load_state(fitted.state(), scans.shape)
    assert np.array_equal(again.features(scans.values), fitted.features(scans.values))


@every_method
def test_patches_and_several_channels_are_learned_from(name, dims):
    scans = small_brains(channels=2)
    fitted = make(name, dims, patch=(8,) * dims, patches_per_scan=2).fit(scans)
    assert fitted.features(scans.values).shape == (len(scans), fitted.encoder_.n_features)


@every_method
def test_one_scan_alone_is_refused(name, dims):
    with pytest.raises(InputError, match="one image alone"):
        make(name, dims).fit(small_brains(1))
    two = small_brains(2)
    same = Scans(two.values, two.masks, two.names, subjects=("a", "a"))
    with pytest.raises(InputError, match="two subjects"):
        make(name, dims).fit(same)


@every_method
def test_fewer_items_than_a_batch_are_refused_with_the_number_to_give(name, dims):
    scans = small_brains(4)
    n = len(make(name, dims).dataset(scans))
    refused = rf"{n} training items are fewer than a batch of {n + 1}.*batch_size.*{n}"
    with pytest.raises(UsageError, match=refused):
        make(name, dims, batch_size=n + 1).fit(scans)
    make(name, dims, batch_size=n, epochs=1).fit(scans)


@every_method
def test_a_patch_of_other_dimensions_is_refused(name, dims):
    with pytest.raises(UsageError, match=f"dims is {dims}"):
        make(name, dims, patch=(8,) * (5 - dims)).fit(small_brains())


@every_method
def test_a_method_that_compares_the_items_of_a_batch_refuses_a_batch_of_one(name, dims):
    method = make(name, dims)
    learner = method._build(small_brains().shape)
    if any(objective.joint for objective in learner.objectives()):
        with pytest.raises(UsageError, match="batch_size: should be a whole number of 2 or more, got 1"):
            make(name, dims, batch_size=1)
    else:
        make(name, dims, batch_size=1, epochs=1).fit(small_brains(2))
