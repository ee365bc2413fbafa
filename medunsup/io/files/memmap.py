"""Arrays too many for memory, one behind the other in a file that is mapped for reading afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from medunsup.io.files.atomic import atomic_path


@contextmanager
def stacked(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Write a .npy file of `shape` (N, ...): yields a function that adds one of the N arrays.

    Written, not mapped: on a full disk, mapping ends the process (SIGBUS) and writing is an OutputError.
    """
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": shape,
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)

        def add(array: NDArray[Any]) -> None:
            if array.shape != shape[1:]:
                raise ValueError(f"an array of {array.shape} among those of {shape[1:]}")
            file.write(np.ascontiguousarray(array, dtype=dtype).data)

        yield add
