"""Contrastive methods: whose items are negatives, and what a queue keeps."""

import numpy as np
import pytest
import torch
from helpers.pretraining import METHODS, make
from helpers.small_brains import small_brains
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.training.learner import Learner, StepProgress

SHAPE = small_brains(1).shape
LEARNERS = {name: make(name, 2)._build(SHAPE) for name, dims in METHODS if dims == 2}
CONTRASTIVE = [name for name, learner in LEARNERS.items() if learner.kind == "contrastive"]
WITH_QUEUE = [name for name in CONTRASTIVE if hasattr(LEARNERS[name], "queue")]
IN_BATCH = [name for name in CONTRASTIVE if name not in (*WITH_QUEUE, "y_aware")]
GENERATOR = torch.Generator()
PROGRESS = StepProgress(1, 10, 1, 1)


def rows(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Embeddings of two views, about 40 degrees apart."""
    return tuple(2 + torch.randn(2, n, 64, generator=torch.Generator().manual_seed(seed)))


def loss(learner: Learner, one: Tensor, other: Tensor, subjects: Tensor) -> float:
    return float(learner.loss((one, other, subjects), GENERATOR).total)


@pytest.mark.parametrize("name", IN_BATCH)
def test_items_of_one_subject_are_compared_with_themselves_alone(name):
    learner, (one, other) = LEARNERS[name], rows(6)
    same, apart = torch.zeros(6, dtype=torch.long), torch.arange(6)
    alone = [loss(learner, one[n : n + 1], other[n : n + 1], apart[n : n + 1]) for n in range(6)]
    assert loss(learner, one, other, same) == pytest.approx(np.mean(alone), abs=1e-5)
    assert loss(learner, one, other, apart) > np.mean(alone) + 0.01


@pytest.mark.parametrize("name", CONTRASTIVE)
def test_equal_embeddings_have_the_loss_of_guessing(name):
    learner = make(name, 2, batch_size=6)._build(SHAPE)
    if name in WITH_QUEUE:
        learner.queue.fill_(1.0)
    ones = torch.ones(6, 64)
    assert loss(learner, ones, ones, torch.arange(6)) == pytest.approx(learner.guessing, rel=1e-4)


@pytest.mark.parametrize("name", WITH_QUEUE)
def test_the_queue_holds_the_last_keys_and_whose_they_are(name):
    learner = make(name, 2, queue_size=10, batch_size=4)._build(SHAPE).train()
    told = [(rows(4, seed)[1], torch.arange(4) + 4 * seed) for seed in range(4)]
    for keys, subjects in told:
        loss(learner, keys, keys, subjects)
        learner.after_step(PROGRESS)
    last = torch.cat([keys for keys, _ in told])[-10:]
    whose = torch.cat([subjects for _, subjects in told])[-10:]
    assert int(learner.pointer) == 6
    assert torch.equal(learner.queue_subjects.roll(-6), whose)
    assert torch.allclose(learner.queue.roll(-6, dims=0), last / last.norm(dim=1, keepdim=True))


@pytest.mark.parametrize("name", WITH_QUEUE)
def test_keys_of_the_own_subject_are_no_negatives_in_training(name):
    learner = make(name, 2, queue_size=8, batch_size=4)._build(SHAPE)
    learner.queue_subjects.fill_(3)
    learner.queue.copy_(rows(8, seed=9)[0])
    one, other = rows(4)
    subjects = torch.full((4,), 3)
    assert loss(learner.train(), one, other, subjects) == pytest.approx(0, abs=1e-6)
    assert loss(learner, one, other, subjects + 1) > 0.1
    assert loss(learner.eval(), one, other, subjects) > 0.1  # number 3 of validation is somebody else


@pytest.mark.parametrize("name", WITH_QUEUE)
def test_a_teacher_is_the_moving_average_of_all_students_so_far(name):
    learner = make(name, 2, momentum=0.75)._build(SHAPE).train()
    weight, kept = learner.projector.state_dict(), []
    expected = {key: value.clone() for key, value in weight.items()}
    for seed in range(3):
        with torch.no_grad():
            for value in learner.projector.parameters():
                value += torch.randn(value.shape, generator=torch.Generator().manual_seed(seed))
        loss(learner, *rows(4, seed), torch.arange(4))
        learner.after_step(PROGRESS)
        expected = {key: 0.75 * expected[key] + 0.25 * value for key, value in weight.items()}
        kept.append(learner.teacher_projector.state_dict())
    for key, value in expected.items():
        assert torch.allclose(kept[-1][key], value, atol=1e-6)
    assert not any(value.requires_grad for value in learner.teacher.parameters())


@pytest.mark.parametrize("name", WITH_QUEUE)
def test_a_queue_shorter_than_a_batch_is_refused(name):
    with pytest.raises(UsageError, match="queue_size 8 is less than a batch of 16"):
        make(name, 2, queue_size=8, batch_size=16)
