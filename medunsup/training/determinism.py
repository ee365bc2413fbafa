"""Algorithms that always give the same, on a GPU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from medunsup.core.errors import UsageError


@contextmanager
def deterministic(*, active: bool) -> Iterator[None]:
    """Let torch take deterministic algorithms only, and put its settings back afterwards.

    Raises UsageError naming the operation that has none.
    """
    if not active:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        operation = str(error).split(",")[0]
        raise UsageError(f"{operation}. Train without deterministic, or on the CPU.") from error
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
