"""Threads of the process, which numba changes for all."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def same_threads() -> Iterator[None]:
    """Leave the threads of the process as they are: numba sets those of OpenMP, and with them torch's.

    A training in the same process would round otherwise from then on.
    """
    import torch

    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
