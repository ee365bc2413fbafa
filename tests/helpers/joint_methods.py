"""Pretraining methods whose loss sees the whole batch, with views and steps that are easy to follow."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from helpers.pretraining import METHODS, make
from helpers.small_brains import small_brains
from medunsup.training.datasets import Dataset
from medunsup.training.learner import Batch, Learner, Objective, View
from medunsup.training.loop import Training, train
from medunsup.training.optimizers import SGD, Constant

SIZE, EPOCHS = 9, 2


def joint_methods() -> list[str]:
    names = {name for name, dims in METHODS if dims == 2}
    shape = small_brains(2).shape
    return sorted(name for name in names if make(name, 2)._build(shape).objectives()[0].joint)


def followed(name: str, rate: float) -> Learner:
    """A learner with steps of `rate` times the gradient, and views that are no matter of chance."""
    learner = make(name, 2)._build(small_brains(2).shape)
    learner.objectives = partial(_plain, type(learner), learner, rate)
    learner.augment = partial(_flipped, is_small=learner.kind == "distillation")
    return learner


def dataset() -> Dataset:
    """Slices of six scans of four subjects."""
    scans = replace(small_brains(6), subjects=("a", "a", "b", "b", "c", "d"))
    return make("simclr", 2).dataset(scans)


def states(learner: Learner, **training: Any) -> dict[str, Tensor]:
    """Parameters and buffers after some epochs."""
    how = Training(accelerator="cpu", **training)
    train(learner, dataset(), None, how, epochs=EPOCHS, batch_size=SIZE, seed=0)
    return learner.state_dict()


def _plain(kind: type[Learner], learner: Learner, rate: float) -> Sequence[Objective]:
    optimizer = SGD(rate, momentum=0.0)
    return [
        replace(one, optimizer=optimizer, schedule=Constant(), weight_decay=0.0)
        for one in kind.objectives(learner)
    ]


def _flipped(batch: Batch, generator: torch.Generator, *, is_small: bool) -> Batch:
    """Show items as they are, flipped and dimmed, and perhaps at half the size."""
    values, masks = batch.values, batch.masks
    views = [View(values, masks), View(0.8 * values.flip(2), masks.flip(2))]
    small = [View(values[..., ::2, ::2], masks[..., ::2, ::2])] if is_small else []
    return batch.shown_as([*views, *small])
