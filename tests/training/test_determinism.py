"""Torch's settings come and go, and the docs name the models that have no deterministic algorithm."""

import re
from pathlib import Path

import pytest
import torch
from helpers.anomaly_models import DEEP, make
from helpers.small_brains import small_brains
from torch.utils._python_dispatch import TorchDispatchMode

from medunsup.core.errors import UsageError
from medunsup.training.determinism import deterministic
from medunsup.training.loop import Training

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
WITHOUT = re.compile(  # after torch.use_deterministic_algorithms, "will throw a RuntimeError"
    r"aten\.(avg_pool3d_backward|max_pool3d_with_indices_backward|_?adaptive_(avg|max)_pool[23]d_backward"
    r"|upsample_(linear1d|bilinear2d|bicubic2d|trilinear3d)_backward|(reflection|replication)_pad\dd_backward"
    r"|nll_loss\w*|grid_sampler_[23]d_backward|cumsum|histc|bincount|put_|median|kthvalue|scatter_reduce)\b"
)


class Recorded(TorchDispatchMode):
    """Notes the names of all operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.add(str(function))
        return function(*args, **(kwargs or {}))


def operations(name: str, dims: int) -> set[str]:
    with Recorded() as recorded:
        make(name, dims).fit(small_brains(2), training=Training(accelerator="cpu"))
    return recorded.names


@pytest.mark.slow
def test_the_page_names_the_models_that_hold_such_an_operation():
    found = {
        f"`{name}` in {'two' if dims == 2 else 'three'} dimensions"
        for name, dims in DEEP
        if any(WITHOUT.match(operation) for operation in operations(name, dims))
    }
    (said,) = re.findall(r"without a deterministic algorithm: (.*?)\.", " ".join(PAGE.read_text().split()))
    assert found == set(said.split(", "))


def pool() -> None:
    assert torch.are_deterministic_algorithms_enabled()
    raise RuntimeError(
        "avg_pool3d_backward_cuda does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation."
    )


def test_settings_are_put_back_and_an_operation_without_such_an_algorithm_is_named():
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    said = "avg_pool3d_backward_cuda does not have a deterministic implementation. Train without"
    with pytest.raises(UsageError, match=said), deterministic(active=True):
        pool()
    assert (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark) == before


def test_other_errors_pass_as_they_are():
    with pytest.raises(RuntimeError, match="out of memory"), deterministic(active=True):
        raise RuntimeError("out of memory")
