"""Several processes on the CPU; each test starts them, so all are slow."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.small_brains import small_brains

from medunsup.anomaly.deep import DeepModel
from medunsup.core.registry import method
from medunsup.training.loop import Training
from medunsup.training.monitor import Progress

SMALL = {"channels": 4, "levels": 2, "epochs": 3, "batch_size": 8, "learning_rate": 3e-3}

pytestmark = pytest.mark.slow


def fit(name: str, **training: object) -> dict[str, np.ndarray]:
    kind = method("anomaly", name)
    model: DeepModel = kind(kind.Config.parse(SMALL))
    model.fit(
        small_brains(), validation=small_brains(2, seed=3), training=Training(accelerator="cpu", **training)
    )
    return model.state()


@pytest.mark.parametrize("name", ["vae", "constrained_aae"])
def test_two_processes_learn_what_one_learns_from_the_same_batches(name):
    told: list[Progress] = []
    one, two = fit(name, parts=2), fit(name, devices=2, tell=told.append)
    assert [progress.step for progress in told] == list(range(1, told[-1].steps + 1))
    assert max(np.abs(one[key] - two[key]).max() for key in one) <= 1e-5


def test_two_processes_learn_from_whole_batches_what_one_does_where_nothing_is_drawn():
    one, two = fit("ae"), fit("ae", devices=2)
    # Sums over a batch and over its halves round otherwise, and Adam amplifies that: 2e-5 on some processors.
    assert max(np.abs(one[key] - two[key]).max() for key in one) <= 1e-4


def test_two_processes_stop_together_and_go_on_in_one(tmp_path):
    script = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parent.parent)]!r}\n"
        "from test_distributed import fit\n"
        "if __name__ == '__main__':\n"
        f"    fit('dae', devices=2, folder={str(tmp_path / 'run')!r}, checkpoint_every_s=0)\n"
    )
    (tmp_path / "script.py").write_text(script)
    process = subprocess.Popen([sys.executable, tmp_path / "script.py"], stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run" / "checkpoint.bin").exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert "StoppedError: Stopped after batch" in errors
    resumed, whole = fit("dae", parts=2, folder=tmp_path / "run", resume=True), fit("dae", parts=2)
    assert max(np.abs(resumed[key] - whole[key]).max() for key in whole) <= 1e-5


def test_processes_stopped_while_they_start_end_with_a_word_of_it(tmp_path):
    started, signalled = tmp_path / "started", tmp_path / "signalled"
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parent.parent)]!r}\n"
        "if __name__ != '__main__':\n"  # in each further process, before it can hear of signals
        f"    Path({str(started)!r}).touch()\n"
        f"    while not Path({str(signalled)!r}).exists():\n        time.sleep(0.01)\n"
        "from test_distributed import fit\n"
        f"if __name__ == '__main__':\n    fit('dae', devices=2, folder={str(tmp_path / 'run')!r})\n"
    )
    (tmp_path / "script.py").write_text(script)
    process = subprocess.Popen([sys.executable, tmp_path / "script.py"], stderr=subprocess.PIPE, text=True)
    while not started.exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    signalled.touch()
    _, errors = process.communicate(timeout=120)
    assert "StoppedError: Stopped while the processes were starting." in errors
