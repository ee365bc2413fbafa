import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from helpers.small_brains import small_brains
from helpers.train_learners import Denoiser

from medunsup.core.errors import InputError, OutputError, UsageError
from medunsup.training import checkpoint
from medunsup.training.datasets import Slices
from medunsup.training.loop import Training, train
from medunsup.training.signals import StoppedError

EPOCHS = 3


def run(training: Training, *, scans: int = 4, seed: int = 0, learner: Denoiser | None = None) -> np.ndarray:
    learner = learner or Denoiser()
    data, held_out = small_brains(scans), small_brains(2, seed=9)
    view, validation = (Slices(one.values, one.masks, one.names) for one in (data, held_out))
    train(learner, view, validation, training, epochs=EPOCHS, batch_size=4, seed=seed)
    return np.concatenate([value.detach().flatten() for value in learner.parameters()])


def stop_at(step: int, number: int = signal.SIGTERM):
    def tell(progress):
        if progress.step == step:
            os.kill(os.getpid(), number)

    return tell


@pytest.fixture(scope="module")
def unbroken() -> np.ndarray:
    return run(Training())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [1, 6, 7, 17, 18])
def test_a_run_stopped_anywhere_goes_on_to_the_very_same_weights(tmp_path, unbroken, step, number):
    with pytest.raises(StoppedError, match="go on with resume=True") as caught:
        run(Training(folder=tmp_path, tell=stop_at(step, number)))
    assert caught.value.number == number
    assert np.array_equal(run(Training(folder=tmp_path, resume=True)), unbroken)


def test_a_run_stopped_again_and_again_logs_each_epoch_once_with_the_same_figures(tmp_path, unbroken):
    for step in (3, 9, 10, 17):
        with pytest.raises(StoppedError):
            run(Training(folder=tmp_path / "broken", resume=step > 3, tell=stop_at(step)))
    assert np.array_equal(run(Training(folder=tmp_path / "broken", resume=True)), unbroken)
    run(Training(folder=tmp_path / "whole"))
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")


def figures(folder: Path) -> list[dict]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "samples_per_s"} for row in rows]


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_last_checkpoint_to_the_same_weights(tmp_path, unbroken):
    script = f"""
        import os, signal, sys
        sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parent.parent)!r}]
        import test_resume
        from medunsup.training.loop import Training
        tell = test_resume.stop_at(10, signal.SIGKILL)
        test_resume.run(Training(folder={str(tmp_path)!r}, checkpoint_every_s=0, tell=tell))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert np.array_equal(run(Training(folder=tmp_path, resume=True)), unbroken)


def test_resuming_a_finished_run_gives_its_weights_at_once(tmp_path, unbroken):
    run(Training(folder=tmp_path))
    steps = []
    again = run(Training(folder=tmp_path, resume=True, tell=steps.append))
    assert np.array_equal(again, unbroken)
    assert steps == []


def test_the_best_weights_so_far_survive_a_stop(tmp_path):
    class Worsening(Denoiser):
        """Best after the first epoch, whatever comes."""

        def validate(self, batch, generator):
            return super().validate(batch, generator) + 10 * self.network[2].bias.abs().sum()

    whole = run(Training(), learner=Worsening(learning_rate=0.1))
    with pytest.raises(StoppedError):
        run(Training(folder=tmp_path, tell=stop_at(18)), learner=Worsening(learning_rate=0.1))
    assert checkpoint.load(tmp_path / checkpoint.NAME)["best"] is not None
    resumed = run(Training(folder=tmp_path, resume=True), learner=Worsening(learning_rate=0.1))
    assert np.array_equal(resumed, whole)


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path):
    run(Training(folder=tmp_path))
    before = (tmp_path / checkpoint.NAME).read_bytes()
    with pytest.raises(OutputError, match="resume=True"):
        run(Training(folder=tmp_path))
    assert (tmp_path / checkpoint.NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [({"seed": 1}, "seed: 0 there, 1 now"), ({"scans": 3}, "scans: 4 scans, .* there, 3 scans, .* now")],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change, said):
    run(Training(folder=tmp_path))
    with pytest.raises(UsageError, match=said):
        run(Training(folder=tmp_path, resume=True), **change)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    import torch

    run(Training(folder=tmp_path))
    wider = Denoiser()
    wider.network[2] = torch.nn.Conv2d(4, 1, 3, padding=1)
    with pytest.raises(InputError, match="another network"):
        run(Training(folder=tmp_path, resume=True), learner=wider)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[: len(data) // 2], "truncated or damaged"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "truncated or damaged"),
        (
            lambda data: data.replace(b'"version": 2', b'"version": 1', 1),
            r"version 1, this medunsup reads version 2\. .*another folder",
        ),
        (lambda data: b"", "not a checkpoint"),
        (lambda data: b"\x80\x02}" + data, "not a checkpoint"),
    ],
    ids=["cut", "flipped bit", "other version", "empty", "foreign"],
)
def test_a_spoiled_checkpoint_is_named_and_left_as_it_is(tmp_path, spoil, said):
    run(Training(folder=tmp_path))
    path = tmp_path / checkpoint.NAME
    path.write_bytes(spoil(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(InputError, match=said) as caught:
        run(Training(folder=tmp_path, resume=True))
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_resuming_where_nothing_is_says_so(tmp_path):
    with pytest.raises(InputError, match="no checkpoint"):
        run(Training(folder=tmp_path, resume=True))


def test_a_full_disk_is_said_and_the_earlier_checkpoint_stays(tmp_path, monkeypatch, unbroken):
    from medunsup.io.files import atomic

    def fill_the_disk(progress):
        if progress.step == 10:
            monkeypatch.setattr(atomic, "_flush", disk_full)

    def disk_full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match="disk is full"):
        run(Training(folder=tmp_path, checkpoint_every_s=0, tell=fill_the_disk))
    monkeypatch.undo()
    assert checkpoint.load(tmp_path / checkpoint.NAME)["place"]["epoch"] == 1
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []
    assert np.array_equal(run(Training(folder=tmp_path, resume=True)), unbroken)
