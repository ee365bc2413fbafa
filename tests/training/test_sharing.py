"""Moving averages, queues and centres: resumed exactly, and the same in one process and in several."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from helpers.small_brains import small_brains
from helpers.train_learners import Doubtful, Teacher
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import RandGaussianNoised
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.training.learner import Learner, Loss, Objective
from medunsup.training.loop import Training, train
from medunsup.training.optimizers import SGD, AdamW
from medunsup.training.patches import Patches
from medunsup.training.signals import StoppedError

EPOCHS, SIZE = 3, 6


def run(learner: Learner | None = None, **training: object) -> dict[str, Tensor]:
    """State after a run over random patches that a transform makes noisy."""
    learner, scans = learner or Teacher(), small_brains(5, (20, 18, 6))
    noisy = RandGaussianNoised(keys="values", prob=0.5, std=0.2)
    data = Patches(scans.values, scans.masks, scans.names, size=(16, 16), inside=0.7, transform=noisy)
    how = Training(accelerator="cpu", **training)
    train(learner, data, None, how, epochs=EPOCHS, batch_size=SIZE, seed=0)
    return learner.state_dict()


def farthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name].double() - other[name]).abs().max()) for name in one)


def stop_at(step: int):
    def tell(progress) -> None:
        if progress.step == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return tell


@pytest.fixture(scope="module")
def straight() -> dict[str, Tensor]:
    return run(parts=2)


def test_the_state_is_in_use(straight):
    fresh = Teacher().state_dict()
    for name, value in straight.items():
        assert not torch.equal(value, fresh[name]), name
    assert int(straight["pointer"]) == EPOCHS * 6 * SIZE % 10


@given(st.lists(st.integers(1, EPOCHS * 6), min_size=1, max_size=3, unique=True).map(sorted))
@settings(max_examples=5, deadline=None)
def test_a_run_stopped_at_any_batches_ends_with_the_very_same_state(straight, stops):
    with TemporaryDirectory() as folder:
        for number, step in enumerate(stops):
            with pytest.raises(StoppedError):
                run(parts=2, folder=folder, resume=number > 0, tell=stop_at(step))
        resumed = run(parts=2, folder=folder, resume=True)
    assert farthest(resumed, straight) == 0


@pytest.mark.slow
def test_two_processes_keep_the_state_of_one_and_go_on_from_its_checkpoint(straight, tmp_path: Path):
    assert farthest(run(devices=2), straight) <= 1e-6
    with pytest.raises(StoppedError):
        run(parts=2, folder=tmp_path, tell=stop_at(8))
    assert farthest(run(devices=2, folder=tmp_path, resume=True), straight) <= 1e-6


@pytest.mark.slow
def test_other_buffers_are_those_of_the_first_process():
    assert float(run(Doubtful(), devices=2)["whose"]) == 0


class Hasty(Teacher):
    """Follows with another step size."""

    def objectives(self):
        first, second = super().objectives()
        return [replace(first, optimizer=AdamW(0.5)), second]


def test_a_run_is_not_resumed_with_another_optimiser(tmp_path):
    run(folder=tmp_path)
    with pytest.raises(UsageError, match=r"follow: AdamW\(learning_rate=0.01.*0.5"):
        run(Hasty(), folder=tmp_path, resume=True)


class Normed(Learner):
    """Nothing but a batch norm of what comes in."""

    def __init__(self, *, joint: bool) -> None:
        super().__init__()
        self.norm, self.is_joint = torch.nn.BatchNorm2d(1), joint

    def objectives(self):
        embed = self.embed if self.is_joint else None
        return [Objective("norm", self.parameters, self.loss, SGD(0.1), embed=embed)]

    def embed(self, batch, generator):
        return (self.norm(batch.values),)

    def loss(self, seen, generator):
        values = seen[0] if self.is_joint else self.norm(seen.values)
        return Loss((values - 1).square().mean(), {})


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("parts", [2, 3])
def test_running_means_are_those_of_the_whole_batch_in_however_many_pieces(joint, parts):
    whole, pieces = Normed(joint=joint), Normed(joint=joint)
    run(whole), run(pieces, parts=parts)
    assert whole.norm.running_mean.abs() > 0.05
    assert torch.allclose(whole.norm.running_mean, pieces.norm.running_mean, atol=1e-6)
