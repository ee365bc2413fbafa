"""Tasks that executors are tested with; they lie here so that other processes can import them."""

import os
import signal
import time
from collections.abc import Callable


def square(item: int, say: Callable[[str], None]) -> int:
    say(f"at {item}")
    return item * item


def die_at_two(item: int, say: Callable[[str], None]) -> int:
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def threads(item: int, say: Callable[[str], None]) -> tuple[str | None, int, int]:
    """Return what the libraries were told, and what BLAS and ITK say that they take."""
    import numpy  # noqa: F401 - with its BLAS
    import SimpleITK as sitk  # noqa: N813
    from threadpoolctl import threadpool_info

    blas = max(info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas")
    told = os.environ.get("OMP_NUM_THREADS")
    return told, blas, sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()


def wait(item: str, say: Callable[[str], None]) -> None:
    """Wait for a minute, then leave a file; say so first."""
    say("begun")
    time.sleep(60)
    with open(item, "x", encoding="utf-8"):  # noqa: PTH123
        pass


def raise_plainly(item: int, say: Callable[[str], None]) -> int:
    raise ValueError(f"no {item}")


def lack_a_file_at_zero(item: int, say: Callable[[str], None]) -> int:
    if item == 0:
        raise FileNotFoundError("no library")
    return item
