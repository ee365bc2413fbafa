"""Passes of a long fit, told to whoever watches it; a fit need not know who does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[float], None]

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Call `watcher` with the loss of each pass of the fits within."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def passed(loss: float) -> None:
    """Tell that a pass, or a step, ended with this loss; nothing happens if no one watches."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(loss)
