"""Examples in the docstrings of losses and monitors run as they stand there."""

import doctest
from importlib import import_module

import pytest
from helpers.docstrings import EXAMPLES, class_faults, faults, function_faults

from medunsup.selfsupervised.collapse import Collapse, name_collapse
from medunsup.selfsupervised.monitors import Monitors

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


@pytest.mark.parametrize("name", ["monitors", "collapse"])
def test_examples_of_what_is_watched_run(name):
    found = doctest.testmod(
        import_module(f"medunsup.selfsupervised.{name}"), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted
    assert not found.failed


def test_what_is_watched_is_documented():
    assert not class_faults(Monitors) + class_faults(Collapse)
    assert not function_faults(name_collapse) + faults(name_collapse, EXAMPLES)
