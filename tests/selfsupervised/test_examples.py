"""Examples in the docstrings of losses and monitors run as they stand there."""

import doctest
from importlib import import_module

import pytest
from helpers.docstrings import EXAMPLES, faults, function_faults

LOSSES = [
    "barlow_twins",
    "dino",
    "info_nce",
    "masked_error",
    "nt_xent",
    "pairwise_margin",
    "triplet",
    "y_aware",
]


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_documented(name):
    module = import_module(f"medunsup.selfsupervised.losses.{name}")
    loss = getattr(module, name)
    assert not function_faults(loss) + faults(loss, EXAMPLES)
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
