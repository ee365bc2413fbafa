"""Collapses of small real trainings are named within two epochs, and healthy ones raise no alarm."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.collapses import FAULTS, HEALTHY, run

from medunsup.core.errors import ArrayError
from medunsup.selfsupervised.collapse import name_collapse
from medunsup.selfsupervised.collapse_rules import RULES
from medunsup.selfsupervised.monitors import Monitors

CONFIRMED_ON = (3, 4, 5)  # limits were chosen on seeds 0 to 2
EPOCHS = 8


def rows(n: int = 64, d: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def check_named(fault: str, seed: int) -> None:
    kind, name = FAULTS[fault]
    named = run(kind, fault, seed=seed).collapse()
    assert named is not None
    assert named.name == name
    assert 1 <= named.since <= 2
    assert named.sentence.startswith(f"Since epoch {named.since}: ")


def test_a_collapse_is_named_after_two_epochs():
    check_named("no centring", seed=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", CONFIRMED_ON)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_collapse_is_named_after_two_epochs(fault, seed):
    check_named(fault, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", CONFIRMED_ON)
@pytest.mark.parametrize(("kind", "batch_norm"), HEALTHY)
def test_a_healthy_run_raises_no_alarm(kind, batch_norm, seed):
    found = run(kind, seed=seed, epochs=EPOCHS, batch_norm=batch_norm)
    assert [found.collapse(epoch) for epoch in range(EPOCHS + 1)] == [None] * (EPOCHS + 1)


def test_two_epochs_of_a_healthy_run_raise_no_alarm():
    found = run("contrastive", seed=3)
    assert [found.collapse(epoch) for epoch in range(3)] == [None] * 3


def test_every_rule_is_shown_by_a_fault_and_told_in_the_docs(repository):
    page = (repository / "docs" / "collapse.md").read_text(encoding="utf-8")
    assert {name for _, name in FAULTS.values()} == set(RULES)
    assert set(RULES) == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


BEFORE = Monitors.of(0, None, rows(), embeddings=(rows(), rows(seed=1)))
GOOD = replace(BEFORE, epoch=1, loss=0.1, alignment=0.2)
ALIKE = replace(GOOD, embedding_std=0.1)


def epochs(*those: Monitors) -> list[Monitors]:
    return [BEFORE, *(replace(one, epoch=n) for n, one in enumerate(those, 1))]


def test_a_collapse_is_dated_from_the_first_epoch_that_shows_it_without_a_break():
    named = name_collapse(epochs(ALIKE, GOOD, ALIKE, ALIKE), "predictive")
    assert named is not None
    assert (named.name, named.since) == ("constant", 3)


def test_a_run_that_recovered_is_healthy():
    assert name_collapse(epochs(ALIKE, ALIKE, GOOD), "predictive") is None


def test_nothing_is_said_of_a_network_that_is_not_trained_yet():
    assert name_collapse([replace(ALIKE, epoch=0)], "predictive") is None
    assert name_collapse([], "predictive") is None


def test_the_knob_is_the_methods():
    words = {
        kind: name_collapse(epochs(ALIKE), kind).sentence
        for kind in ("contrastive", "predictive", "distillation")
    }
    assert "learning rate" in words["contrastive"]
    assert "Stop the gradient" in words["predictive"]
    assert "Centre the teacher" in words["distillation"]


def test_a_slow_start_is_no_collapse():
    """A loss well above that of guessing that falls, with views that come closer little by little."""
    slow = [replace(GOOD, loss=loss, alignment=0.9 - 0.02 * n) for n, loss in enumerate((6.3, 6.1, 5.9))]
    assert name_collapse(epochs(*slow), "contrastive", guessing=4.8) is None


def test_a_run_that_starts_from_a_good_encoder_is_healthy():
    """Its views are close already; they need not come closer while the loss falls."""
    good = [replace(GOOD, loss=loss, alignment=0.2) for loss in (1.2, 1.0)]
    history = [replace(BEFORE, alignment=0.22), *epochs(*good)[1:]]
    assert name_collapse(history, "contrastive", guessing=4.8) is None


def test_without_the_loss_of_guessing_no_rule_of_it_speaks():
    assert name_collapse(epochs(replace(GOOD, loss=1e6), replace(GOOD, loss=1e6)), "contrastive") is None


def test_views_are_measured_beside_those_of_other_items():
    one, noise = rows(500), rows(500, seed=1)
    assert Monitors.of(0, None, one, embeddings=(one, one)).alignment == 0
    assert Monitors.of(0, None, one, embeddings=(one, noise)).alignment == pytest.approx(1, abs=0.02)
    near = Monitors.of(0, None, one, embeddings=(one + 100, noise + 100)).alignment
    assert near == pytest.approx(1, abs=0.05)  # that all are alike is no merit
    assert Monitors.of(0, None, one, embeddings=(one * 0 + 1, one * 0 + 1)).alignment == 1


def test_relative_alignment_is_that_of_all_pairs():
    one, two = rows(9), rows(9, seed=1) + rows(9)
    a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (one, two))
    apart = np.square(a[:, None] - b).sum(axis=2)
    expected = np.trace(apart) / 9 / (apart.sum() - np.trace(apart)) * 72
    assert Monitors.of(0, None, one, embeddings=(one, two)).alignment == pytest.approx(expected, rel=1e-12)


def test_copies_that_look_alike_are_counted():
    views = np.arange(12.0).reshape(6, 1, 2)
    assert Monitors.of(0, None, rows(), copies=views).distinct_views == 1
    assert Monitors.of(0, None, rows(), copies=views[[0, 1, 2, 3, 0, 1]]).distinct_views == pytest.approx(
        1 / 3
    )


def test_features_of_a_wrong_shape_are_refused():
    with pytest.raises(ArrayError, match="not \\(4, 3, 2\\)"):
        Monitors.of(0, None, np.ones((4, 3, 2)))
