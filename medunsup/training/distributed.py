"""Running in one process or several: starting them, agreeing between them, bringing back what they made."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import torch
from torch.distributed import destroy_process_group
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

from medunsup.core.errors import MedunsupError
from medunsup.core.hints import worded_as_here
from medunsup.training import checkpoint, launched
from medunsup.training.learner import Learner
from medunsup.training.signals import StoppedError, StopRequest, stop_on_signal

WATCH_S = 0.1

Go = Callable[[Any, Learner], dict[str, Any]]


def launch(go: Go, learner: Learner, *, accelerator: str, devices: int, precision: str) -> dict[str, Any]:
    """Call `go(fabric, learner)` in as many processes as devices; the learner ends as the first one left it.

    With several, `go` must be picklable and all it returns plain values. Raises what `go` raises.
    """
    if launched.world_size() > 1:
        return launched.together(go, learner, accelerator=accelerator, precision=precision)
    fabric = _fabric(accelerator, devices, precision)
    if devices == 1:
        return go(fabric, learner)
    with TemporaryDirectory() as folder, stop_on_signal() as stop, _passed_on(stop):
        path = Path(folder) / "outcome"
        try:
            error = fabric.launch(worded_as_here(partial(_in_process, go=go, learner=learner, path=path)))
        except (ProcessExitedException, ProcessRaisedException):
            if not stop.is_made:
                raise
            raise StoppedError("Stopped while the processes were starting.", stop.number) from None
        if error is not None:
            raise error
        outcome = checkpoint.load(path)
    learner.load_state_dict(outcome["learner"])
    return outcome["returned"]


@contextmanager
def told_here(tell: Callable[[Any], None] | None, *, devices: int) -> Iterator[Callable[[Any], None] | None]:
    """Yield what calls `tell` in this process from wherever it is called."""
    if tell is None or devices == 1:
        yield tell
        return
    queue = get_context("spawn").SimpleQueue()
    listener = Thread(target=lambda: [tell(word) for word in iter(queue.get, None)], daemon=True)
    listener.start()
    try:
        yield queue.put
    finally:
        queue.put(None)
        listener.join()


def agree(fabric: Any, *flags: bool) -> tuple[bool, ...]:
    """Whether each flag is set in any process; all processes must ask at the same point."""
    if fabric.world_size == 1:
        return flags
    raised = torch.tensor(flags, dtype=torch.float32, device=fabric.device)
    return tuple(bool(flag) for flag in fabric.all_reduce(raised, reduce_op="sum"))


def _fabric(accelerator: str, devices: int, precision: str) -> Any:
    from lightning.fabric import Fabric

    strategy = "auto" if devices == 1 else "ddp_spawn"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice about the machine, which is not the user's business here
        return Fabric(accelerator=accelerator, devices=devices, precision=precision, strategy=strategy)


def _in_process(fabric: Any, *, go: Go, learner: Learner, path: Path) -> MedunsupError | None:
    """Run in one of several processes; errors meant for the user go back as values to keep their type."""
    own = deepcopy(learner)  # on the CPU its memory is shared: each process would train the others' weights
    try:
        returned = go(fabric, own)
        if fabric.global_rank == 0:
            checkpoint.save(path, {"learner": own.state_dict(), "returned": returned})
    except MedunsupError as error:
        return error.with_traceback(None)  # its frames would keep what talks between the processes alive
    finally:
        destroy_process_group()  # its threads, left running, abort a process as it exits
    return None


@contextmanager
def _passed_on(stop: StopRequest) -> Iterator[None]:
    """Ask each process to stop, once, when this one is asked to; also those that are only being started."""
    is_over, told = Event(), set()

    def watch() -> None:
        while not is_over.wait(WATCH_S):
            for child in active_children() if stop.is_made else ():
                if child.pid not in told:
                    told.add(child.pid)
                    child.terminate()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
