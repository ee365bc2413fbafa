"""Each registered deep model ends with the same weights, however its run went.

    PYTHONPATH=tests python tests/training/test_same_weights.py

prints a checksum of all weights of each model, to see whether a change of the loop changed what is learned.
They hold for one processor, one number of threads and one version of torch.
"""

import hashlib
import os
import signal
from functools import cache
from typing import Any

import numpy as np
import pytest
from helpers.small_brains import small_brains

from medunsup.anomaly.deep import DeepModel
from medunsup.core.registry import method, methods
from medunsup.training.loop import Training
from medunsup.training.monitor import Progress
from medunsup.training.signals import StoppedError

SMALL: dict[str, Any] = {"channels": 4, "levels": 2, "epochs": 3, "batch_size": 8, "latent_dim": 8}
CASES = [
    (card.name, dims)
    for card in methods("anomaly")
    if issubclass(method("anomaly", card.name), DeepModel)
    for dims in card.dims
]


def fit(name: str, dims: int, **training: Any) -> dict[str, np.ndarray]:
    kind = method("anomaly", name)
    wanted = SMALL | {"dims": dims, "batch_size": 8 if dims == 2 else 2}
    known = {key: value for key, value in wanted.items() if key in kind.Config.model_fields}
    model: DeepModel = kind(kind.Config.parse(known))
    how = Training(accelerator="cpu", **training)
    return model.fit(small_brains(), validation=small_brains(2, seed=3), training=how).state()


def checksum(state: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name, value in sorted(state.items()):
        total.update(f"{name} {value.dtype} {value.shape}".encode())
        total.update(np.ascontiguousarray(value).data)
    return total.hexdigest()


@cache
def in_two_pieces(name: str, dims: int) -> dict[str, np.ndarray]:
    return fit(name, dims, parts=2)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dims"), CASES)
def test_a_resumed_run_ends_with_the_weights_of_one_that_was_never_stopped(name, dims, tmp_path):
    def stop(progress: Progress) -> None:
        if progress.step == progress.steps // 2:
            os.kill(os.getpid(), signal.SIGTERM)

    how = {"parts": 2, "folder": tmp_path}
    with pytest.raises(StoppedError):
        fit(name, dims, **how, tell=stop)
    assert checksum(fit(name, dims, **how, resume=True)) == checksum(in_two_pieces(name, dims))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_two_processes_end_with_the_weights_of_one(name):
    one, two = in_two_pieces(name, 2), fit(name, 2, devices=2)
    assert max(np.abs(one[key] - two[key]).max() for key in one) <= 1e-5


def main() -> None:
    for name, dims in CASES:
        for parts in (1, 2):
            print(f"{name} {dims}D, {parts} piece(s): {checksum(fit(name, dims, parts=parts))}")  # noqa: T201


if __name__ == "__main__":
    main()
