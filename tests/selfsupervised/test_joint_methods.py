"""Methods that compare the items of a batch see all of it in however many pieces, and go on exactly."""

import os
import signal
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from helpers.joint_methods import EPOCHS, SIZE, dataset, followed, joint_methods, states
from helpers.pretraining import make
from helpers.small_brains import small_brains
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from medunsup.training.datasets import Draws
from medunsup.training.learner import Learner
from medunsup.training.loop import Training, train
from medunsup.training.signals import StoppedError

JOINT = joint_methods()
STEPS = EPOCHS * (len(dataset().order(0, 0)) // SIZE)
every_joint_method = pytest.mark.parametrize("name", JOINT)


def farthest(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


def slowly(name: str) -> Learner:
    """Steps so small that rounding does not grow from one to the next."""
    return followed(name, 1e-4 if name == "barlow_twins" else 1e-3)


def torchs_gradient(name: str, items: np.ndarray) -> dict[str, Tensor]:
    learner = followed(name, 1.0)
    generator = torch.Generator()
    batch = learner.augment(dataset().batch(items, Draws()), generator)
    learner.objectives()[0].whole_loss(batch, generator).total.backward()
    return {name: one.grad for name, one in learner.named_parameters() if one.grad is not None}


@every_joint_method
@pytest.mark.parametrize("parts", [1, 4])
def test_pieces_give_the_gradient_that_torch_gives_of_the_whole_batch(name, parts):
    learner, data = followed(name, 1.0), dataset()
    items = data.order(0, 0)[:SIZE]
    data.order = lambda seed, epoch: items
    before = {name: one.detach().clone() for name, one in learner.named_parameters()}
    train(learner, data, None, Training(accelerator="cpu", parts=parts), epochs=1, batch_size=SIZE, seed=0)
    now, expected = dict(learner.named_parameters()), torchs_gradient(name, items)
    assert max(one.abs().max() for one in expected.values()) > 1e-3
    for key, gradient in expected.items():
        assert torch.allclose(before[key] - now[key], gradient, rtol=1e-3, atol=2e-5), key


@every_joint_method
def test_queues_teachers_and_norms_do_not_depend_on_the_pieces(name):
    whole, pieces, fresh = slowly(name), slowly(name), slowly(name).state_dict()
    one, other = states(whole), states(pieces, parts=4)
    assert farthest(one, other) < 1e-4
    assert all(not torch.equal(one[key], fresh[key]) for key, _ in whole.named_buffers())


@pytest.mark.slow
@every_joint_method
def test_two_processes_end_with_the_state_of_one(name):
    assert farthest(states(slowly(name)), states(slowly(name), devices=2)) < 1e-4


def run(name: str, **training: Any) -> dict[str, np.ndarray]:
    how = Training(accelerator="cpu", parts=2, **training)
    return make(name, 2, batch_size=SIZE, epochs=EPOCHS).fit(small_brains(6), training=how).state()


def stop_at(step: int):
    def tell(progress) -> None:
        if progress.step == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return tell


@pytest.mark.slow
@every_joint_method
@settings(max_examples=4, deadline=None)
@given(stops=st.lists(st.integers(1, STEPS), min_size=1, max_size=3, unique=True).map(sorted))
def test_a_run_stopped_at_any_steps_ends_with_the_very_same_state(name, stops):
    with TemporaryDirectory() as folder:
        for number, step in enumerate(stops):
            with pytest.raises(StoppedError):
                run(name, folder=folder, resume=number > 0, tell=stop_at(step))
        resumed = run(name, folder=folder, resume=True)
    straight = run(name)
    assert all(np.array_equal(resumed[key], straight[key]) for key in straight)
