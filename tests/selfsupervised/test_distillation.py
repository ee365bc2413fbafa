"""DINO: what its teacher is, and what centring does."""

import math

import pytest
import torch
from helpers.pretraining import make
from helpers.small_brains import small_brains
from hypothesis import given
from hypothesis import strategies as st

from medunsup.selfsupervised.momentum import rising
from medunsup.training.learner import Batch, StepProgress
from medunsup.training.loop import Training

SHAPE = small_brains(1).shape
GENERATOR = torch.Generator()


@given(st.floats(0, 0.999), st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_momentum_rises_from_its_first_value_to_one(first, fractions):
    early, late = (rising(first, fraction) for fraction in fractions)
    assert first - 1e-12 <= early <= late + 1e-12 <= 1 + 2e-12
    assert math.isclose(rising(first, 0), first, abs_tol=1e-12)
    assert math.isclose(rising(first, 1), 1)


@pytest.mark.parametrize("dims", [2, 3])
def test_an_item_is_shown_in_two_large_and_several_small_views(dims):
    learner = make("dino", dims, local_views=3)._build(SHAPE)
    values = torch.rand(2, 1, *(16, 14, 8)[:dims])
    batch = Batch(values, values > 0, torch.arange(2))
    shapes = [tuple(view.values.shape[2:]) for view in learner.augment(batch, GENERATOR).views]
    assert shapes == [(16, 14, 8)[:dims]] * 2 + [(8, 7, 4)[:dims]] * 3


def test_the_kept_encoder_is_the_teachers_and_gets_no_gradient():
    learner = make("dino", 2, local_views=0)._build(SHAPE).train()
    values = torch.rand(4, 1, 16, 16)
    batch = learner.augment(Batch(values, values > 0, torch.arange(4)), GENERATOR)
    learner.objectives()[0].whole_loss(batch, GENERATOR).total.backward()
    assert all(one.grad is None for one in learner.encoder.parameters())
    assert all(one.grad is not None for one in learner.student.parameters())
    with torch.no_grad():
        for one in learner.student.parameters():
            one += 1
    before = [one.clone() for one in learner.encoder.parameters()]
    learner.after_step(StepProgress(10, 10, 1, 1))  # at the end it stands still
    pairs = list(zip(learner.encoder.parameters(), before, strict=True))
    assert all(torch.equal(now, then) for now, then in pairs)
    learner.after_step(StepProgress(5, 10, 1, 1))  # halfway between .98 and 1
    moved = [float((now - then).mean()) for now, then in pairs]
    assert moved == pytest.approx([0.01] * len(moved), rel=1e-3)


def test_the_centre_is_the_mean_of_what_the_teacher_said_in_training_alone():
    learner = make("dino", 2, center_momentum=0.0)._build(SHAPE)
    features = [torch.randn(5, learner.encoder.n_features) for _ in range(4)]
    learner.train().loss(features, GENERATOR)
    learner.after_step(StepProgress(1, 10, 1, 1))
    with torch.no_grad():
        said = learner.teacher_prototypes(learner.teacher_projector.train()(torch.cat(features[:2])))
    assert torch.allclose(learner.center, said.mean(dim=0), atol=1e-5)


def test_figures_of_the_teacher_are_watched(tmp_path):
    scans = small_brains(12)
    made = make(
        "dino", 2, epochs=2, batch_size=16, local_views=2, encoder_parameters={"channels": 8, "levels": 3}
    )
    made.fit(scans, training=Training(folder=tmp_path))
    rows = (tmp_path / "log.jsonl").read_text().splitlines()
    assert all("teacher_entropy" in row and "prototypes_used" in row for row in rows)
