"""What a learner measures of a fixed sample stands in the log, is told of once, and changes nothing."""

import json
import os
import signal

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from helpers.train_learners import Denoiser

from medunsup.training.datasets import Slices
from medunsup.training.loop import Trained, Training, train
from medunsup.training.signals import StoppedError


class Measured(Denoiser):
    """Measures what it is shown and itself; from the second epoch on it says how it began."""

    def measure(self, batch, generator):
        assert not self.training
        drawn = float(torch.rand((), generator=generator))
        return {"seen": float(batch.values.mean()) + drawn, "weight": float(self.network[0].weight.mean())}

    def verdict(self, history):
        assert [row["epoch"] for row in history] == list(range(len(history)))
        return f"Began with {history[0]['weight']:.6f}." if len(history) > 2 else ""


def run(learner, folder=None, **more) -> Trained:
    scans, others = small_brains(3), small_brains(2, seed=5)
    data, validation = (Slices(one.values, one.masks) for one in (scans, others))
    training = Training(folder=folder, accelerator="cpu", **more)
    return train(learner, data, validation, training, epochs=3, batch_size=4, seed=0)


def weights(learner) -> list[np.ndarray]:
    return [value.numpy() for value in learner.state_dict().values()]


def test_the_log_holds_what_is_measured_of_the_same_sample_each_time(tmp_path):
    run(Measured(), tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]
    assert len({row["seen"] for row in rows}) == 1
    assert len({row["weight"] for row in rows}) == 4
    assert "denoising" in rows[1]


def test_measuring_changes_no_weight():
    plain, measured = Denoiser(), Measured()
    run(plain)
    run(measured)
    assert all(
        np.array_equal(one, other) for one, other in zip(weights(plain), weights(measured), strict=True)
    )


def test_a_verdict_is_warned_of_once_and_kept(caplog):
    ended = run(Measured())
    assert ended.verdict.startswith("Began with")
    assert caplog.messages.count(ended.verdict) == 1
    assert run(Denoiser()).verdict == ""


def test_a_verdict_whose_numbers_alone_change_is_not_repeated(caplog):
    class Sinking(Measured):
        def verdict(self, history):
            return f"Since epoch 1: spread {0.1 / len(history):.3f}." if len(history) > 1 else ""

    run(Sinking())
    assert caplog.messages == ["Since epoch 1: spread 0.050."]


def test_figures_of_the_last_epoch_are_told_with_each_batch():
    told = []
    run(Measured(), tell=told.append)
    assert {progress.epoch: "denoising" in progress.figures for progress in told} == {
        1: False,
        2: True,
        3: True,
    }
    assert len({progress.figures["weight"] for progress in told}) == 3


def test_a_resumed_run_remembers_what_it_was_before(tmp_path):
    def stop(progress):
        if progress.step == 2 * progress.steps // 3 + 1:
            os.kill(os.getpid(), signal.SIGTERM)

    whole = run(Measured(), tmp_path / "whole")
    with pytest.raises(StoppedError):
        run(Measured(), tmp_path / "broken", tell=stop)
    assert run(Measured(), tmp_path / "broken", resume=True) == whole
    first, second = (
        [{**json.loads(line), "samples_per_s": None} for line in (folder / "log.jsonl").open()]
        for folder in (tmp_path / "whole", tmp_path / "broken")
    )
    assert [row["epoch"] for row in second] == [0, 1, 2, 3]
    assert first[1:] == second[1:]
