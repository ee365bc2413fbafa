"""Processes that `torchrun` started: the first one does what was asked, the others help wherever it trains.

So a verb prepares scans and writes files once, whatever the number of processes; they meet in the store that
torchrun gives them.
"""

import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from io import BytesIO
from itertools import count
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.distributed import PrefixStore, Store, destroy_process_group, init_process_group, rendezvous

from medunsup.core.errors import MedunsupError
from medunsup.training.learner import Learner
from medunsup.training.settings import Training

PATIENCE = timedelta(days=30)  # the first process may prepare scans for long
END = b""
_n_done = count()

Go = Callable[[Any], Any]


def world_size() -> int:
    """Return the number of processes that torchrun started; 1 without it."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def on_all_devices(training: Training) -> Training:
    """Return the settings with as many devices as torchrun started processes, if it did."""
    return replace(training, devices=world_size()) if world_size() > 1 else training


def together(go: Any, learner: Learner, *, accelerator: str, precision: str) -> Any:
    """Call `go(fabric, learner)` in this, the first process, while the others call a copy of it.

    `go` is a partial with the settings as `training`, picklable but for their `tell`, which is called here
    alone. Raises what it raises.
    """
    number = next(_n_done)
    here = partial(go, learner=learner)
    elsewhere = partial(here, training=replace(go.keywords["training"], tell=None))
    store = _store()
    store.set(f"work{number}", _packed((elsewhere, accelerator, precision)))  # type: ignore[arg-type]
    return _in_group(here, number, accelerator, precision)


def follow() -> None:
    """Train along until the first process ends."""
    for number in count():
        word = _store().get(f"work{number}")
        if word == END:
            return
        go, accelerator, precision = pickle.loads(word)
        with suppress(MedunsupError):  # the first process tells of it
            _in_group(go, number, accelerator, precision)


def end() -> None:
    """Let the others end; called by the first process when it has done what was asked."""
    _store().set(f"work{next(_n_done)}", END)  # type: ignore[arg-type]


def _in_group(go: Go, number: int, accelerator: str, precision: str) -> Any:
    """Join all processes for one training."""
    from lightning.fabric import Fabric

    here = int(os.environ["LOCAL_WORLD_SIZE"])
    fabric = Fabric(
        accelerator=accelerator,
        devices=here,
        num_nodes=world_size() // here,
        precision=precision,
        strategy="ddp",
    )
    backend = "nccl" if fabric.device.type == "cuda" else "gloo"
    rank = int(os.environ["RANK"])
    group = PrefixStore(f"group{number}", _store())
    init_process_group(backend, store=group, rank=rank, world_size=world_size())
    try:
        return fabric.launch(go)
    finally:
        destroy_process_group()  # its threads, left running, abort a process as it exits


@cache
def _store() -> Store:
    store, _, _ = next(rendezvous("env://", timeout=PATIENCE))
    own = PrefixStore("medunsup", store)
    own.set_timeout(PATIENCE)
    return own


class _Pickler(pickle.Pickler):
    """Packs arrays that are mapped from a file by the file's name, not by what is in it."""

    def reducer_override(self, item: Any) -> Any:
        if type(item) is np.memmap and isinstance(item.base, mmap) and item.filename:
            return _mapped, (str(item.filename), item.dtype, item.offset, item.shape)
        return NotImplemented


def _packed(item: Any) -> bytes:
    buffer = BytesIO()
    _Pickler(buffer).dump(item)
    return buffer.getvalue()


def _mapped(path: str, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)
