"""Optimisers and schedules against what others say of them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from medunsup.training.optimizers import LARS, SGD, Adam, AdamW, Constant, Cosine, Steps, groups_of


def test_lars_steps_in_proportion_to_each_tensors_norm():
    """Written out after the paper, with momentum, for a matrix and a vector."""
    rng = np.random.default_rng(0)
    values = {"matrix": rng.normal(size=(3, 4)), "vector": rng.normal(size=4)}
    parameters = {name: nn.Parameter(torch.tensor(value)) for name, value in values.items()}
    made = LARS(0.5, momentum=0.9, trust=0.02).make(
        groups_of(parameters.values(), weight_decay=0.1, decay_all=False)
    )
    speed = dict.fromkeys(values, 0.0)
    for _ in range(3):
        for name, parameter in parameters.items():
            slope = rng.normal(size=parameter.shape)
            parameter.grad = torch.tensor(slope)
            if name == "matrix":
                slope = slope + 0.1 * values[name]
                slope = 0.02 * np.linalg.norm(values[name]) / np.linalg.norm(slope) * slope
            speed[name] = 0.9 * speed[name] + slope
            values[name] = values[name] - 0.5 * speed[name]
        made.step()
    for name, parameter in parameters.items():
        np.testing.assert_allclose(parameter.detach().numpy(), values[name], rtol=1e-12)


@pytest.mark.parametrize("choice", [Adam(0.01), AdamW(0.01), SGD(0.01), LARS(0.01)])
def test_weights_decay_and_biases_and_norms_do_only_if_asked_to(choice):
    """Without a gradient's pull, what decays shrinks."""

    def shrunk(*, decay_all: bool) -> list[bool]:
        parameters = [nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))]
        made = choice.make(groups_of(parameters, weight_decay=0.1, decay_all=decay_all))
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        made.step()
        return [bool((parameter < 1).all()) for parameter in parameters]

    assert shrunk(decay_all=False) == [True, False]
    assert shrunk(decay_all=True) == [True, True]


@given(st.integers(2, 50))
def test_a_cosine_is_torchs_own(steps):
    made = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(made, T_max=steps, eta_min=0.2)
    for step in range(steps):
        assert Cosine(last=0.2)(step, steps) == pytest.approx(made.param_groups[0]["lr"])
        made.step()
        reference.step()


@given(st.integers(1, 300), st.floats(0, 0.9))
def test_a_warm_up_rises_to_the_full_rate_and_falls_from_there(steps, warmup):
    factors = [Cosine(warmup=warmup)(step, steps) for step in range(steps)]
    top = int(np.argmax(factors))
    assert factors[top] == 1
    assert all(np.diff(factors[: top + 1]) > 0)
    assert all(np.diff(factors[top:]) <= 0)
    assert min(factors) > 0


def test_steps_divide_at_their_shares_of_the_run():
    factors = [Steps(at=(0.5, 0.75), factor=0.1)(step, 8) for step in range(8)]
    assert factors == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])
    assert {Constant()(step, 8) for step in range(8)} == {1.0}
