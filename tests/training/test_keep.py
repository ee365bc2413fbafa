"""A run ends with the weights it was asked to keep: those of the epoch that scores highest, for one."""

import os
import signal

import numpy as np
import pytest
from helpers.small_brains import small_brains
from helpers.train_learners import Denoiser

from medunsup.training.datasets import Slices
from medunsup.training.loop import Trained, Training, train
from medunsup.training.signals import StoppedError
from medunsup.training.watch import evenly_spread, is_enough

SCORES = {0: 9.0, 1: 5.0, 2: 7.0, 3: 7.0, 4: 6.0}


class Scored(Denoiser):
    """Scores epochs as the table says; those before `first` are not to be kept."""

    first = 1

    def measure(self, batch, generator):
        return {"weight": float(self.network[0].weight.mean())}

    def score(self, figures):
        return SCORES[figures["epoch"]] if figures["epoch"] >= self.first else None


def run(learner, folder=None, *, epochs=4, **more) -> Trained:
    brains = small_brains(3)
    data = Slices(brains.values, brains.masks)
    training = Training(folder=folder, accelerator="cpu", **more)
    return train(learner, data, None, training, epochs=epochs, batch_size=4, seed=0)


def weights(learner) -> list[np.ndarray]:
    return [value.numpy() for value in learner.state_dict().values()]


def is_same(one, other) -> bool:
    return all(np.array_equal(*pair) for pair in zip(weights(one), weights(other), strict=True))


def stopped_after(epoch: int):
    def stop(progress):
        if progress.step == epoch * progress.steps // progress.epochs:
            os.kill(os.getpid(), signal.SIGTERM)

    return stop


def test_the_first_epoch_with_the_highest_score_is_kept(tmp_path):
    best, there = Scored(), Scored()
    assert run(best, keep="score").best_epoch == 2
    with pytest.raises(StoppedError):
        run(there, tmp_path, keep="score", tell=stopped_after(2))
    assert is_same(best, there)


def test_a_score_changes_nothing_of_the_training_and_the_last_is_kept_unless_asked():
    scored, plain = Scored(), Denoiser()
    assert run(scored, keep="last").best_epoch == 4
    run(plain)
    assert is_same(scored, plain)


def test_epochs_that_are_not_to_be_kept_are_not():
    late, never = Scored(), Scored()
    late.first, never.first = 4, 9
    assert run(late, keep="score").best_epoch == 4
    assert run(never, keep="score").best_epoch == 4


def test_a_resumed_run_keeps_the_same_epoch(tmp_path):
    whole, broken, resumed = Scored(), Scored(), Scored()
    ended = run(whole, tmp_path / "whole", keep="score")
    with pytest.raises(StoppedError):
        run(broken, tmp_path / "broken", keep="score", tell=stopped_after(3))
    assert run(resumed, tmp_path / "broken", keep="score", resume=True) == ended
    assert is_same(whole, resumed)


@pytest.mark.parametrize(("n", "most"), [(13, 256), (256, 256), (524, 256), (1, 4), (10, 3)])
def test_a_sample_is_spread_over_all_items_and_holds_none_twice(n, most):
    chosen = evenly_spread(n, most)
    assert len(set(chosen)) == len(chosen) == min(n, most)
    assert chosen.min() >= 0
    assert chosen.max() < n
    assert np.allclose(chosen.mean(), (n - 1) / 2, atol=1)


def test_few_validation_items_or_subjects_are_not_enough_to_measure_on():
    def slices(n):
        brains = small_brains(n)
        return Slices(brains.values, brains.masks)

    assert is_enough(slices(4))
    assert not is_enough(slices(3))
