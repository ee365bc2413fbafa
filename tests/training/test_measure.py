"""What a learner measures of a fixed sample stands in the log, once an epoch, and changes nothing."""

import json

import numpy as np
from helpers.small_brains import small_brains
from helpers.train_learners import Denoiser

from medunsup.training.datasets import Slices
from medunsup.training.loop import Training, train


class Measured(Denoiser):
    """Measures the mean of what it is shown."""

    def measure(self, batch):
        assert not self.training
        return {"seen": float(batch.values.mean())}


def run(learner, folder=None) -> dict[str, np.ndarray]:
    scans, others = small_brains(3), small_brains(2, seed=5)
    data, validation = (Slices(one.values, one.masks) for one in (scans, others))
    train(
        learner, data, validation, Training(folder=folder, accelerator="cpu"), epochs=3, batch_size=4, seed=0
    )
    return {name: value.numpy() for name, value in learner.state_dict().items()}


def test_the_log_holds_what_is_measured_of_the_same_sample_each_time(tmp_path):
    run(Measured(), tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    assert len({row["seen"] for row in rows}) == 1
    assert 0 < rows[0]["seen"] < 1


def test_measuring_changes_no_weight():
    plain, measured = run(Denoiser()), run(Measured())
    assert all(np.array_equal(plain[name], measured[name]) for name in plain)
