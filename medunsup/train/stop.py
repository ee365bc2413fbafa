"""Stopping at any moment: a signal is noted, the step in hand is finished, then the checkpoint is written."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from medunsup.core.errors import MedunsupError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StoppedError(MedunsupError):
    """Training was asked to stop and did; its checkpoint is complete."""


class StopRequest:
    """Whether a signal has asked to stop."""

    def __init__(self) -> None:
        self.is_made = False

    def __bool__(self) -> bool:
        return self.is_made


@contextmanager
def stop_on_signal(*, active: bool) -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM instead of dying from them; a second one acts at once.

    Outside the main thread, or where not `active`, signals are left as they are.
    """
    request = StopRequest()
    if not active or threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        request.is_made = True
        signal.signal(number, before[signal.Signals(number)])

    try:
        for number in SIGNALS:
            signal.signal(number, note)
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
